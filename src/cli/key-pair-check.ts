import { createKeyPairCheck } from '../certificates/check-key-pair.ts'

/** Judges by the clock of now. One function for all configurations: another one would have every certificate judged anew. */
export const checkKeyPairNow = createKeyPairCheck(() => new Date())

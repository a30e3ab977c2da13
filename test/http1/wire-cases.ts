import { type RequestCase, type ResponseCase, readCaseFile } from '../../hack/cases/case-file.ts'

/** The cases of test/cases, which the parsers must meet without sockets, too; the connection is in the clear. */
const all = ['http1.yaml', 'http1-more.yaml'].flatMap(name => readCaseFile(`${import.meta.dirname}/../cases/${name}`))

export const requestCases: readonly RequestCase[] = all
  .filter(one => one.kind === 'request')
  .filter(one => one.listener !== 'tls')
export const responseCases: readonly ResponseCase[] = all.filter(one => one.kind === 'response')

/** What a request case sends, whole. */
export function sentBy(requestCase: RequestCase): Buffer {
  return Buffer.concat(requestCase.parts.map(part => part.octets))
}

/** What the upstream of a response case sends, whole. */
export function answeredBy({ script }: ResponseCase): Buffer {
  return Buffer.concat(script.steps.flatMap(step => ('send' in step ? [step.send] : [])))
}

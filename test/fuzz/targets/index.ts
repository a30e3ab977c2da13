import type { FuzzTarget } from '../fuzz-target.ts'
import { accessLog } from './access-log.ts'
import { annotationValues } from './annotation-values.ts'
import { authority } from './authority.ts'
import { chunkedBody } from './chunked-body.ts'
import { connectionOptions } from './connection-options.ts'
import { requestTarget } from './request-target.ts'
import { requests } from './requests.ts'
import { responses } from './responses.ts'

export const targets: readonly FuzzTarget[] = [
  requests,
  responses,
  chunkedBody,
  requestTarget,
  authority,
  connectionOptions,
  accessLog,
  annotationValues,
]

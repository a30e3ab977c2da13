import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { IngressDeployment } from './ingressdeployment.ts'
import { ingressDeploymentSchema } from './ingressdeployment-schema.ts'
import { apiGroup, apiVersion } from './names.ts'
import type { ObjectReference, Problem } from './problem.ts'

type Schema = { readonly [keyword: string]: unknown }

/** An IngressDeployment with every default filled in, or what is wrong with it. */
export type Validated =
  | { readonly value: IngressDeployment; readonly problems?: undefined }
  | { readonly value?: undefined; readonly problems: readonly Problem[] }

export type IngressDeploymentValidator = (object: unknown) => Validated

/** More problems than this are not listed: the first ones are what a person mends first. */
const maxProblems = 20

/** Checks one object against the CRD's own schema. Who checks many keeps a validator instead: compiling takes longer than checking. */
export function validateIngressDeployment(object: unknown): Validated {
  return createIngressDeploymentValidator()(object)
}

export interface ValidatorOptions {
  /**
   * `refuse` finds typing errors in files. `drop` is for objects of a cluster, whose CRD may be a newer one: what it
   * knows beyond ours must not bring an instance down.
   */
  readonly unknownFields: 'refuse' | 'drop'
}

/** Compiles the CRD's schema. The validator never changes its argument: the value returned is a copy. */
export function createIngressDeploymentValidator(
  options: ValidatorOptions = { unknownFields: 'refuse' },
): IngressDeploymentValidator {
  const ajv = new Ajv({
    strict: true,
    allowUnionTypes: true,
    allErrors: true,
    useDefaults: true,
    removeAdditional: options.unknownFields === 'drop',
    verbose: true,
    formats: {
      int32: { type: 'number', validate: value => Number.isInteger(value) && Math.abs(value) <= 2 ** 31 },
      int64: { type: 'number', validate: value => Number.isSafeInteger(value) },
      'date-time': {
        type: 'string',
        validate: value => /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)),
      },
    },
  })
  const validate = ajv.compile<IngressDeployment>(forAjv(ingressDeploymentSchema))
  return object => check(validate, object)
}

function check(validate: ValidateFunction<IngressDeployment>, object: unknown): Validated {
  const subject = reference(object)
  const wrongKind = kindProblem(object, subject)
  if (wrongKind) return { problems: [wrongKind] }
  const copy: unknown = structuredClone(object)
  if (validate(copy)) return { value: copy }
  const problems = (validate.errors ?? [])
    .slice(0, maxProblems)
    .map(error => ({ object: subject, field: fieldPath(error), reason: 'Invalid', message: explain(error) }))
  return { problems }
}

function kindProblem(object: unknown, subject: ObjectReference): Problem | undefined {
  const { apiVersion: version, kind } = isRecord(object) ? object : {}
  if (version === apiVersion && kind === 'IngressDeployment') return undefined
  const message = `the object must be of kind IngressDeployment and apiVersion ${apiVersion}`
  return { object: subject, field: version === apiVersion ? 'kind' : 'apiVersion', reason: 'Invalid', message }
}

/** The reference to an object of unknown shape, as far as it can be read. */
function reference(object: unknown): ObjectReference {
  const metadata = isRecord(object) && isRecord(object['metadata']) ? object['metadata'] : {}
  const text = (key: string): string => (typeof metadata[key] === 'string' ? metadata[key] : '')
  const uid = text('uid')
  return {
    apiVersion,
    kind: 'IngressDeployment',
    namespace: text('namespace'),
    name: text('name'),
    ...(uid ? { uid } : {}),
  }
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** int-or-string is `anyOf` with untyped keywords beside it, which strict mode refuses: say the same by a union type. */
function forAjv(schema: Schema): Schema {
  const copy: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'properties' && isRecord(value)) {
      copy[keyword] = Object.fromEntries(Object.entries(value).map(([name, child]) => [name, forAjv(child as Schema)]))
    } else if (keyword === 'anyOf' && schema['type'] === undefined) {
      copy['type'] = (value as readonly Schema[]).map(alternative => alternative['type'])
    } else if ((keyword === 'items' || keyword === 'additionalProperties') && isRecord(value)) {
      copy[keyword] = forAjv(value)
    } else {
      copy[keyword] = value
    }
  }
  return copy
}

/** `/spec/service/ports/http` becomes `spec.service.ports.http`, `/spec/x/0` becomes `spec.x[0]`. */
function fieldPath(error: ErrorObject): string {
  const parts = error.instancePath.split('/').slice(1)
  if (error.keyword === 'required') parts.push(String(error.params['missingProperty']))
  if (error.keyword === 'additionalProperties') parts.push(String(error.params['additionalProperty']))
  return parts
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('')
}

function explain(error: ErrorObject): string {
  const params = error.params
  const is = `; it is ${shown(error.data)}`
  switch (error.keyword) {
    case 'enum':
      return `must be one of ${(params['allowedValues'] as readonly unknown[]).map(String).join(', ')}${is}`
    case 'type':
      return `must be of type ${[params['type']].flat().join(' or ')}${is}`
    case 'minimum':
    case 'maximum':
      return `must be ${error.keyword === 'minimum' ? 'at least' : 'at most'} ${String(params['limit'])}${is}`
    case 'minLength':
    case 'maxLength':
      return `must have ${atLeastOrMost(error)} characters`
    case 'minItems':
    case 'maxItems':
      return `must have ${atLeastOrMost(error)} items`
    case 'maxProperties':
      return `must have ${atLeastOrMost(error)} keys`
    case 'pattern':
      return `must match ${String(params['pattern'])}${is}`
    case 'format':
      return `must be a valid ${String(params['format'])}${is}`
    case 'required':
      return 'is required'
    case 'additionalProperties':
      return `is not a field of ${apiGroup}; allowed here: ${allowedFields(error)}`
    default:
      return `${error.message ?? 'is invalid'}${is}`
  }
}

function atLeastOrMost(error: ErrorObject): string {
  return `${error.keyword.startsWith('min') ? 'at least' : 'at most'} ${String(error.params['limit'])}`
}

function allowedFields(error: ErrorObject): string {
  const properties: unknown = error.parentSchema?.['properties']
  return isRecord(properties) ? Object.keys(properties).join(', ') : 'none'
}

/** A value as text, cut short: it is a user's and may be of any size. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent'
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`
}

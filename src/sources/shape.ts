/** What a value must look like; a list of words is an enumeration. Fields that are not named are not looked at. */
export type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | 'number or string'
  | readonly string[]
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly required?: readonly string[] }

export type FieldPath = readonly (string | number)[]

/** A value that has not the shape it must have. */
export interface Misfit {
  readonly path: FieldPath
  readonly message: string
}

export function list(of: Shape): Shape {
  return { list: of }
}

export function map(of: Shape): Shape {
  return { map: of }
}

/** The first misfit in order of the fields, or undefined. An absent value fits any shape. */
export function findMisfit(value: unknown, shape: Shape, path: FieldPath = []): Misfit | undefined {
  if (value === undefined) return undefined
  if (typeof shape === 'string') return findScalarMisfit(value, shape, path)
  if (isEnumeration(shape)) {
    if (typeof value === 'string' && shape.includes(value)) return undefined
    return { path, message: `must be one of ${shape.join(', ')}` }
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) return { path, message: 'must be a list' }
    return first(value.entries(), ([index, item]) => findMisfit(item ?? null, shape.list, [...path, index]))
  }
  if (!isMapping(value)) return { path, message: 'must be a mapping' }
  if ('map' in shape) {
    return first(Object.entries(value), ([key, item]) => findMisfit(item, shape.map, [...path, key]))
  }
  const missing = shape.required?.find(name => value[name] === undefined)
  if (missing !== undefined) return { path, message: `${missing} is missing` }
  return first(Object.entries(shape.fields), ([name, field]) => findMisfit(value[name], field, [...path, name]))
}

/** `['spec', 'rules', 0, 'host']` as `spec.rules[0].host`. */
export function formatFieldPath(path: FieldPath): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`))
    .join('')
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isEnumeration(shape: Shape): shape is readonly string[] {
  return Array.isArray(shape)
}

function findScalarMisfit(value: unknown, shape: string, path: FieldPath): Misfit | undefined {
  const type = typeof value
  const fits = shape === 'number or string' ? type === 'number' || type === 'string' : type === shape
  if (fits) return undefined
  // The value itself is not repeated: it may be one of a Secret.
  return { path, message: `must be a ${shape}${shape === 'string' && type !== 'object' ? '; put it in quotes' : ''}` }
}

function first<T>(items: Iterable<T>, find: (item: T) => Misfit | undefined): Misfit | undefined {
  for (const item of items) {
    const misfit = find(item)
    if (misfit !== undefined) return misfit
  }
  return undefined
}

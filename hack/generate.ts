// Derives from crds/ingressdeployment.yaml what must never be written by hand: `node hack/generate.ts [--check]`.
import { readFileSync, writeFileSync } from 'node:fs'
import { compile } from 'json-schema-to-typescript'
import { parse } from 'yaml'
import { benchmarksPage } from '../test/bench/report/page.ts'
import { referencePages } from './generate-reference.ts'

type Schema = {
  [key: string]: unknown
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: Schema | boolean
}

interface CustomResourceDefinition {
  spec: { versions: { name: string; schema: { openAPIV3Schema: Schema } }[] }
}

const crdFile = 'crds/ingressdeployment.yaml'
const notice = `Generated from ${crdFile} by \`make generate\`. Do not edit.`

const crd = parse(readFileSync(crdFile, 'utf8')) as CustomResourceDefinition
const schema = crd.spec.versions[0]?.schema.openAPIV3Schema
if (!schema) throw new Error(`${crdFile} has no version with a schema`)

const outputs: Record<string, string> = {
  'src/api/ingressdeployment.ts': await types(schema),
  'src/api/ingressdeployment-schema.ts': `// ${notice}\nexport const ingressDeploymentSchema = ${JSON.stringify(withoutKubernetes(schema), null, 2)} as const\n`,
  'docs/reference/ingressdeployment.md': reference(schema),
  'docs/benchmarks.md': benchmarksPage(),
  ...referencePages(),
}

const stale: string[] = []
for (const [file, text] of Object.entries(outputs)) {
  let current = ''
  try {
    current = readFileSync(file, 'utf8')
  } catch {
    // A missing file is a stale one.
  }
  if (current === text) continue
  stale.push(file)
  if (!process.argv.includes('--check')) writeFileSync(file, text)
}
if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`stale: ${stale.join(', ')} - run \`make generate\` and commit the result`)
  process.exit(1)
}
console.log(stale.length > 0 ? `wrote ${stale.join(', ')}` : 'generated files are current')

/** Types: every object closed, metadata by our own type, and what has a default always there. */
async function types(root: Schema): Promise<string> {
  const closed = forTypes(structuredClone(root), true)
  const metadata = closed.properties?.['metadata']
  if (metadata) metadata['tsType'] = 'ObjectMeta'
  const condition = closed.properties?.['status']?.properties?.['conditions']
  if (condition) condition['tsType'] = 'readonly Condition[]'
  for (const key of ['namespaceSelector', 'ingressSelector']) {
    const selector = closed.properties?.['spec']?.properties?.['scope']?.properties?.[key]
    if (selector) selector['tsType'] = 'LabelSelector'
  }
  closed['required'] = ['apiVersion', 'kind', 'metadata', 'spec']
  const kind = closed.properties?.['kind']
  if (kind) kind['tsType'] = "'IngressDeployment'"
  const text = await compile(closed, 'IngressDeployment', {
    bannerComment: `// ${notice}\nimport type { Condition, LabelSelector, ObjectMeta } from './kubernetes.ts'\n`,
    style: { semi: false, singleQuote: true, printWidth: 120 },
    additionalProperties: false,
    unknownAny: true,
  })
  return text.replaceAll(/^( +)(\w+\??: )/gm, '$1readonly $2').replaceAll(/^( +)(\[k: string\]: )/gm, '$1readonly $2')
}

function forTypes(node: Schema, root = false): Schema {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    forTypes(child)
    if (child['default'] !== undefined && !root)
      node['required'] = [...((node['required'] as string[] | undefined) ?? []), key]
  }
  if (node.items) forTypes(node.items)
  if (typeof node.additionalProperties === 'object') forTypes(node.additionalProperties)
  if (node['x-kubernetes-preserve-unknown-fields'] === true) node.additionalProperties = true
  if (node['x-kubernetes-int-or-string'] === true) node['tsType'] = 'string | number'
  // Limits of length would become tuple types.
  delete node['minItems']
  delete node['maxItems']
  return node
}

/** The schema for ajv: unknown fields refused (the API server prunes them, so a typo would vanish), no CEL. */
function withoutKubernetes(node: Schema): Schema {
  const copy: Schema = {}
  for (const [key, value] of Object.entries(node)) {
    if (key.startsWith('x-kubernetes-')) continue
    if (key === 'properties') {
      copy.properties = Object.fromEntries(
        Object.entries(value as Record<string, Schema>).map(([k, v]) => [k, withoutKubernetes(v)]),
      )
    } else if (key === 'items' || (key === 'additionalProperties' && typeof value === 'object')) {
      copy[key] = withoutKubernetes(value as Schema)
    } else {
      copy[key] = value
    }
  }
  if (node.properties && node['x-kubernetes-preserve-unknown-fields'] !== true) copy.additionalProperties = false
  return copy
}

function reference(root: Schema): string {
  const lines = [
    '# IngressDeployment',
    '',
    `<!-- ${notice} -->`,
    '',
    String(root['description']),
    '',
    'Group `ingressfleet.dev`, version `v1alpha1`, short name `igd`.',
    '',
  ]
  for (const part of ['spec', 'status']) {
    lines.push(`## ${part}`, '', '| field | type | default | limits | description |', '|---|---|---|---|---|')
    const node = root.properties?.[part]
    if (node) rows(node, part, lines)
    lines.push('')
  }
  return lines.join('\n')
}

function rows(node: Schema, path: string, lines: string[]): void {
  const required = (node['required'] as string[] | undefined) ?? []
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const field = `${path}.${key}`
    const preset =
      child['default'] === undefined || JSON.stringify(child['default']) === '{}'
        ? ''
        : `\`${JSON.stringify(child['default'])}\``
    const cells = [`\`${field}\``, typeName(child), preset, limits(child, required.includes(key)), description(child)]
    lines.push(`| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    rows(child, field, lines)
    if (child.items) rows(child.items, `${field}[]`, lines)
  }
}

function description(node: Schema): string {
  const rules = (node['x-kubernetes-validations'] as { message: string }[] | undefined) ?? []
  return [text(node['description']).trim(), ...rules.map(rule => `Rule: ${rule.message}.`)].join(' ')
}

function typeName(node: Schema): string {
  if (node['x-kubernetes-int-or-string'] === true) return 'quantity'
  if (node.items) return `list of ${typeName(node.items)}`
  if (typeof node.additionalProperties === 'object') return `map of ${typeName(node.additionalProperties)}`
  return String(node['type'])
}

function limits(node: Schema, required: boolean): string {
  const parts = required ? ['required'] : []
  if (Array.isArray(node['enum'])) parts.push(node['enum'].map(value => `\`${String(value)}\``).join(', '))
  for (const key of ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern']) {
    if (node[key] !== undefined) parts.push(`${key} \`${text(node[key])}\``)
  }
  return parts.join('; ')
}

/** A scalar of the schema as it is written; nothing for what is not there. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
}

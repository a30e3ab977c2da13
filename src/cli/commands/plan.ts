import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { stringify } from 'yaml'
import type { IngressDeployment } from '../../api/ingressdeployment.ts'
import type { Problem } from '../../api/problem.ts'
import { createIngressDeploymentValidator } from '../../api/schema.ts'
import { desired } from '../../operator/objects/index.ts'
import type { DesiredObject } from '../../operator/objects/managed-object.ts'
import { type PlanContext, plan } from '../../operator/plan.ts'
import { findField } from '../../sources/find-field.ts'
import { parseManifests } from '../../sources/parse-manifests.ts'
import { CommandError, reasonOf } from '../command-error.ts'
import type { CommandContext } from '../commands.ts'

interface PlanOptions {
  readonly filename: string
  readonly proxyImage: string
}

/** The ServiceAccount of config/manager, which the operator has where nobody renamed it. */
const operatorServiceAccount = { namespace: 'ingress-fleet-system', name: 'ingress-fleet-controller-manager' }

/** Stands for what is made when the objects are applied. */
const placeholder = '(generated when it is applied)'

export function define(command: Command, context: CommandContext): void {
  command
    .requiredOption('-f, --filename <file>', 'YAML with one IngressDeployment or more, - for standard input')
    .option('--proxy-image <image>', 'image where an IngressDeployment names none', 'ingress-fleet')
    .action(async ({ filename, proxyImage }: PlanOptions) => {
      const yaml = await read(filename)
      const { manifests, problems } = parseManifests(yaml)
      const file = filename === '-' ? 'standard input' : filename
      for (const { line, column, message } of problems) context.printError(`${file}:${line}:${column}: ${message}\n`)
      if (problems.length > 0) throw new CommandError(`${file} cannot be planned; nothing was printed`)
      const found = manifests.flatMap(({ object, line }) =>
        object.kind === 'IngressDeployment' ? [{ object, line }] : [],
      )
      if (found.length === 0)
        throw new CommandError(`${file} holds no IngressDeployment of apiVersion ingressfleet.dev/v1alpha1`)
      const planned = found.map(({ object, line }) => {
        const tell = (problem: Problem): void =>
          context.printError(located(problem, findField(yaml, line, problem.field), file))
        return planOne(object, proxyImage, tell)
      })
      context.print(
        planned
          .flatMap(objects => objects ?? [])
          .map(toYaml)
          .join('---\n'),
      )
      if (planned.includes(undefined)) throw new CommandError(`${file} holds an IngressDeployment that is not valid`)
    })
}

/** The objects, or undefined when it is not valid. */
function planOne(
  object: IngressDeployment,
  operatorImage: string,
  tell: (problem: Problem) => void,
): readonly DesiredObject[] | undefined {
  const context: PlanContext = {
    operatorImage,
    operatorServiceAccount,
    namespaces: undefined,
    secretNamespaces: [],
    keyPair: { certificate: placeholder, key: placeholder },
    ticketKeys: { key: placeholder, issuedAt: placeholder },
    validate: createIngressDeploymentValidator(),
  }
  const planned = plan(object, context)
  if (planned.plan === undefined) {
    for (const problem of planned.problems) tell(problem)
    return undefined
  }
  for (const warning of planned.warnings) tell(warning)
  return desired(planned.plan).map(withoutSecrets).map(withoutUnknownOwner)
}

async function read(filename: string): Promise<string> {
  try {
    return filename === '-' ? await text(process.stdin) : await readFile(filename, 'utf8')
  } catch (error) {
    throw new CommandError(`reading ${filename}: ${reasonOf(error)}`, { cause: error })
  }
}

function located({ field, reason, message }: Problem, at: { line: number; column: number }, file: string): string {
  return `${file}:${at.line}:${at.column}: ${field === '' ? '' : `${field}: `}${message} (${reason})\n`
}

/** No plan shows a private key, wherever it came from. */
function withoutSecrets(object: DesiredObject): DesiredObject {
  if (object.kind !== 'Secret') return object
  const data = Object.keys((object['data'] as object | undefined) ?? {})
  return { ...object, data: Object.fromEntries(data.map(key => [key, placeholder])) }
}

/** Without a cluster the owner has no uid yet. */
function withoutUnknownOwner(object: DesiredObject): DesiredObject {
  const { ownerReferences, ...metadata } = object.metadata
  if (ownerReferences === undefined) return object
  const owners = ownerReferences.map(owner =>
    owner.uid === '' ? { ...owner, uid: '(known when it is applied)' } : owner,
  )
  return { ...object, metadata: { ...metadata, ownerReferences: owners } }
}

function toYaml(object: DesiredObject): string {
  return stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })
}

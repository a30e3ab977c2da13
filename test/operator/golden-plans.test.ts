import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments, stringify } from 'yaml'
import type { Ingress, KubernetesObject, Namespace } from '../../src/api/kubernetes.ts'
import { desired, managedObjects } from '../../src/operator/objects/index.ts'
import { plan } from '../../src/operator/plan.ts'

const folder = join(import.meta.dirname, '../golden/operator/plans')
const claims = readdirSync(folder)

/** `in.yaml` holds the IngressDeployment, the cluster's Namespaces and Ingresses; `out.yaml` what becomes of it. */
function readCase(claim: string): { readonly input: readonly KubernetesObject[]; readonly output: () => string } {
  const text = readFileSync(join(folder, claim, 'in.yaml'), 'utf8')
  const input = parseAllDocuments(text).map(document => document.toJS() as KubernetesObject)
  return { input, output: () => readFileSync(join(folder, claim, 'out.yaml'), 'utf8') }
}

function planned(input: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const ingresses = input.filter((object): object is Ingress => object.kind === 'Ingress')
  const result = plan(
    input.find(({ kind }) => kind === 'IngressDeployment'),
    {
      operatorImage: 'localhost/ingress-fleet:1.2.3',
      operatorServiceAccount: { namespace: 'ingress-fleet-system', name: 'ingress-fleet-controller-manager' },
      namespaces: input.filter((object): object is Namespace => object.kind === 'Namespace'),
      secretNamespaces: ingresses.filter(({ spec }) => spec?.tls).map(({ metadata }) => metadata.namespace ?? ''),
      keyPair: { certificate: 'the certificate', key: 'the key' },
      ticketKeys: { key: 'the ticket key', issuedAt: '2026-11-23T08:00:00Z' },
    },
  )
  if (result.plan === undefined) throw new Error(JSON.stringify(result.problems))
  return desired(result.plan)
}

describe('an IngressDeployment becomes the objects of its golden file', () => {
  it.each(claims)('%s', claim => {
    const { input, output } = readCase(claim)
    const objects = planned(input)
    const text = objects.map(object => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n')
    if (process.env['UPDATE_GOLDEN'] === 'true') writeFileSync(join(folder, claim, 'out.yaml'), text)
    expect(text).toBe(output())
  })

  it('every kind of the table is in a golden file', () => {
    const kinds = new Set(claims.flatMap(claim => planned(readCase(claim).input).map(({ kind }) => kind)))
    expect(kinds).toEqual(new Set(managedObjects.map(row => row.kind)))
  })

  it('a plan is pure: twice the same input gives the same objects, and the input is not changed', () => {
    for (const claim of claims) {
      const { input } = readCase(claim)
      const before = structuredClone(input)
      expect(planned(input)).toEqual(planned(before))
      expect(input).toEqual(before)
    }
  })
})

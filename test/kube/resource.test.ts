import { describe, expect, it } from 'vitest'
import { objectKey, resourcePath, resources } from '../../src/kube/resource.ts'

describe('resourcePath', () => {
  it('follows the API concepts: core and named groups, scopes, objects and subresources', () => {
    expect(resourcePath(resources.secrets)).toBe('/api/v1/secrets')
    expect(resourcePath(resources.secrets, { namespace: 'shop' })).toBe('/api/v1/namespaces/shop/secrets')
    expect(
      resourcePath(resources.ingressDeployments, { namespace: 'shop', name: 'public', subresource: 'status' }),
    ).toBe('/apis/ingressfleet.dev/v1alpha1/namespaces/shop/ingressdeployments/public/status')
    expect(resourcePath(resources.ingressClasses, { name: 'public' })).toBe(
      '/apis/networking.k8s.io/v1/ingressclasses/public',
    )
  })

  it('lets no name leave its place in the path', () => {
    expect(resourcePath(resources.clusterRoles, { name: '../secrets?watch=1' })).toBe(
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/..%2Fsecrets%3Fwatch%3D1',
    )
  })
})

describe('objectKey', () => {
  it('is the name alone for cluster-scoped objects', () => {
    expect(objectKey({ namespace: 'shop', name: 'public' })).toBe('shop/public')
    expect(objectKey({ name: 'public' })).toBe('public')
  })
})

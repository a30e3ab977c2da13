// Generated from crds/ingressdeployment.yaml by `make generate`. Do not edit.
import type {Condition, LabelSelector, ObjectMeta} from './kubernetes.ts'

/**
 * A fleet of ingress proxies with one IngressClass, one address and one configuration. The operator turns it into a Deployment, a Service, an IngressClass, RBAC, a ConfigMap and a TLS Secret, and keeps them so.
 */
export interface IngressDeployment {
  /**
   * Version of the API; `ingressfleet.dev/v1alpha1`.
   */
  readonly apiVersion: string
  /**
   * Kind of the object; `IngressDeployment`.
   */
  readonly kind: 'IngressDeployment'
  readonly metadata: ObjectMeta
  /**
   * What is wanted.
   */
  readonly spec: {
    /**
     * The IngressClass that this instance creates, owns and serves.
     */
    readonly ingressClass: {
      /**
       * Name of the IngressClass; `metadata.name` when absent. It can't be changed later.
       */
      readonly name?: string
      /**
       * Mark the class as the cluster's default: Ingresses created without a class get it, and those that name none are served too.
       */
      readonly default: boolean
      /**
       * Controller name of the IngressClass. `k8s.io/ingress-nginx` takes over manifests written for ingress-nginx, the annotation `kubernetes.io/ingress.class` included.
       */
      readonly controller: 'ingressfleet.dev/ingress-controller' | 'k8s.io/ingress-nginx'
    }
    /**
     * Number of proxies. 0 is a real value. `kubectl scale igd NAME --replicas N` sets it.
     */
    readonly replicas: number
    /**
     * The Service through which clients reach the proxies.
     */
    readonly service: {
      /**
       * Type of the Service. It can be changed in place.
       */
      readonly type: 'LoadBalancer' | 'NodePort' | 'ClusterIP'
      /**
       * Ports of the Service.
       */
      readonly ports: {
        /**
         * Port for plain HTTP.
         */
        readonly http: {
          /**
           * Port of the Service.
           */
          readonly port: number
          /**
           * Port on every node; allocated by the API server when absent, and then kept.
           */
          readonly nodePort?: number
        }
        /**
         * Port for HTTPS.
         */
        readonly https: {
          /**
           * Port of the Service.
           */
          readonly port: number
          /**
           * Port on every node; allocated by the API server when absent, and then kept.
           */
          readonly nodePort?: number
        }
      }
      /**
       * Annotations of the Service, as the cluster's load-balancer controller wants them. Those of others are kept.
       */
      readonly annotations?: {
        readonly [k: string]: string
      }
      /**
       * Labels of the Service beside those of ingress-fleet. Those of others are kept.
       */
      readonly labels?: {
        readonly [k: string]: string
      }
      /**
       * `Local` keeps the client's address and sends traffic only to nodes with a proxy; `Cluster` spreads over all nodes. `Cluster` when absent.
       */
      readonly externalTrafficPolicy?: 'Cluster' | 'Local'
      /**
       * Which load-balancer controller implements the Service. It can't be changed later.
       */
      readonly loadBalancerClass?: string
      /**
       * Client networks, in CIDR notation, that the load balancer lets in; all of them when empty.
       */
      readonly loadBalancerSourceRanges?: string[]
      /**
       * IP families of the Service; the cluster's default when absent.
       */
      readonly ipFamilyPolicy?: 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'
    }
    /**
     * The pods in which the proxies run.
     */
    readonly pod: {
      /**
       * Image of the proxy; the operator's own when absent.
       */
      readonly image?: string
      /**
       * Secrets of the same namespace with credentials for the image's registry.
       *
       * Items: One Secret.
       */
      readonly imagePullSecrets?: {
        /**
         * Name of the Secret.
         */
        readonly name: string
      }[]
      /**
       * Processor and memory of the container. The number of data workers follows the processor limit when there is one, else the request.
       */
      readonly resources: {
        /**
         * What the scheduler reserves.
         */
        readonly requests?: {
          /**
           * A quantity, as in 100m or 128Mi.
           */
          readonly [k: string]: string | number
        }
        /**
         * What the container may not exceed.
         */
        readonly limits?: {
          /**
           * A quantity, as in 100m or 128Mi.
           */
          readonly [k: string]: string | number
        }
      }
      /**
       * Labels that a node must have.
       */
      readonly nodeSelector?: {
        readonly [k: string]: string
      }
      /**
       * Taints that the pods tolerate.
       *
       * Items: One toleration, as in a Pod.
       */
      readonly tolerations?: {
        /**
         * Key of the taint; every key when empty, with operator Exists.
         */
        readonly key?: string
        /**
         * How the value is compared.
         */
        readonly operator?: 'Exists' | 'Equal'
        /**
         * Value of the taint, with operator Equal.
         */
        readonly value?: string
        /**
         * Effect of the taint; every effect when absent.
         */
        readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
        /**
         * How long a NoExecute taint is tolerated.
         */
        readonly tolerationSeconds?: number
      }[]
      /**
       * Affinity, as in a Pod. The API server checks it when the Deployment is applied.
       */
      readonly affinity?: {
        readonly [k: string]: unknown
      }
      /**
       * How pods are spread, as in a Pod; a constraint without labelSelector gets this instance's. When absent, pods are spread over nodes and zones where that is possible.
       *
       * Items: One constraint.
       */
      readonly topologySpreadConstraints?: {
        /**
         * Largest difference of pods between two domains.
         */
        readonly maxSkew: number
        /**
         * Label of nodes whose values are the domains.
         */
        readonly topologyKey: string
        /**
         * What happens when it can't be kept.
         */
        readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway'
        readonly [k: string]: unknown
      }[]
      /**
       * PriorityClass of the pods.
       */
      readonly priorityClassName?: string
      /**
       * Labels of the pods beside those of ingress-fleet.
       */
      readonly labels?: {
        readonly [k: string]: string
      }
      /**
       * Annotations of the pods.
       */
      readonly annotations?: {
        readonly [k: string]: string
      }
      /**
       * Longest time from the end of a pod's life being announced to its processes being killed. Requests in flight get that time, less the wait for load balancers to notice, to end.
       */
      readonly terminationGracePeriodSeconds: number
    }
    /**
     * Which Ingresses of the class are served; all of them when empty.
     */
    readonly scope: {
      /**
       * Only Ingresses of these namespaces; all reads of the proxies are then confined to them. One that does not exist yet is served as soon as it does.
       */
      readonly namespaces?: string[]
      /**
       * Only Ingresses of namespaces with these labels; followed as labels change.
       */
      readonly namespaceSelector?: LabelSelector
      /**
       * Only Ingresses with these labels.
       */
      readonly ingressSelector?: LabelSelector
    }
    /**
     * TLS of the proxies.
     */
    readonly tls: {
      /**
       * Certificate for hosts without one of their own. When empty, a self-signed one is generated.
       */
      readonly defaultCertificate: {
        /**
         * Secret of type kubernetes.io/tls in the same namespace. The key must belong to the certificate, and it must be valid now; otherwise the last good pair keeps being served.
         */
        readonly secretName?: string
        /**
         * A self-signed certificate that the operator makes.
         */
        readonly generated?: {
          /**
           * Host names of the certificate; `ingress.local` when absent. A wildcard covers one label.
           */
          readonly hosts?: string[]
        }
      }
    }
    /**
     * Settings of the proxies, applied by running ones without a restart. What is set here wins over the same setting in `ingressNginx`.
     */
    readonly configuration: {
      /**
       * Data workers of each proxy; one per processor granted when absent. New pods use it.
       */
      readonly workers?: number
      /**
       * Format of the access log on standard output; `text` is ingress-nginx's default format, and the default.
       */
      readonly accessLog?: 'off' | 'text' | 'json'
      /**
       * Believe X-Forwarded-* headers of clients. Only behind a proxy that sets them itself. False when absent.
       */
      readonly trustForwardedHeaders?: boolean
      /**
       * Redirect HTTP to HTTPS on hosts with TLS; an Ingress may say otherwise. True when absent.
       */
      readonly tlsRedirect?: boolean
      /**
       * Status of that redirect; 308 when absent.
       */
      readonly redirectStatus?: 301 | 302 | 307 | 308
      /**
       * Timeouts of the proxies.
       */
      readonly timeouts?: {
        /**
         * For a whole request head; 10 when absent.
         */
        readonly clientHeadSeconds?: number
        /**
         * Between two pieces of a request body; 60 when absent.
         */
        readonly clientBodySeconds?: number
        /**
         * How long a request may fall short of `minHeadBytesPerSecond` or `minBodyBytesPerSecond`; 5 when absent.
         */
        readonly slowClientGraceSeconds?: number
        /**
         * Idle time of a client connection; 75 when absent.
         */
        readonly keepAliveSeconds?: number
        /**
         * To connect to an endpoint; 5 when absent.
         */
        readonly connectSeconds?: number
        /**
         * Until an endpoint sends its next byte; 60 when absent.
         */
        readonly readSeconds?: number
        /**
         * Until an endpoint or a client takes the next byte; 60 when absent.
         */
        readonly sendSeconds?: number
        /**
         * When a proxy ends, each WebSocket is closed with 1001 at a moment of its own in the second half of this time; 30 when absent. 0 closes all of them at once.
         */
        readonly tunnelDrainSeconds?: number
      }
      /**
       * Limits of the proxies.
       */
      readonly limits?: {
        /**
         * Longest request body, 0 for no limit; 1048576 when absent. Over it the answer is 413.
         */
        readonly maxBodyBytes?: number
        /**
         * Longest request line; 16384 when absent. Over it the answer is 414.
         */
        readonly maxRequestLineBytes?: number
        /**
         * Longest header section; 32768 when absent. Over it the answer is 431.
         */
        readonly maxHeaderBytes?: number
        /**
         * Most header fields of a request; 100 when absent. Over it the answer is 431.
         */
        readonly maxHeaderCount?: number
        /**
         * Most client connections of one worker; 16384 when absent.
         */
        readonly maxConnections?: number
        /**
         * Most client connections of one worker from one IPv4 address or IPv6 /64, 0 for no limit; 0 when absent, because behind a NAT or a load balancer many clients have one address.
         */
        readonly maxConnectionsPerAddress?: number
        /**
         * Requests on one client connection, 0 for no limit; 1000 when absent.
         */
        readonly maxRequestsPerConnection?: number
        /**
         * Slowest request head, 0 for no limit; 100 when absent. Under it the answer is 408.
         */
        readonly minHeadBytesPerSecond?: number
        /**
         * Slowest request body, 0 for no limit; 240 when absent. Under it the answer is 408.
         */
        readonly minBodyBytesPerSecond?: number
        /**
         * Memory of a proxy above which new requests get 503, 0 for 85 percent of the container's memory limit, if it has one; 0 when absent.
         */
        readonly maxMemoryBytes?: number
        /**
         * Most bytes of a request body that are held where requests are buffered; 1048576 when absent. A longer body is passed on as it comes.
         */
        readonly maxBufferedBodyBytes?: number
      }
      /**
       * Read a request body whole before an endpoint is asked, where the Ingress does not say otherwise; false when absent.
       */
      readonly requestBuffering?: boolean
      /**
       * Connections to endpoints that are kept open.
       */
      readonly upstreamKeepAlive?: {
        /**
         * Idle connections per endpoint and worker; 320 when absent.
         */
        readonly maxIdlePerEndpoint?: number
        /**
         * How long an idle one is kept; 60 when absent.
         */
        readonly idleSeconds?: number
        /**
         * Longest time that one connection is used, 0 for no limit; 3600 when absent. Each gets up to a tenth less, so that they do not all end at once.
         */
        readonly maxLifetimeSeconds?: number
        /**
         * Requests on one connection, 0 for no limit; 10000 when absent.
         */
        readonly maxRequestsPerConnection?: number
      }
      /**
       * How an endpoint is chosen for a request.
       */
      readonly loadBalance?: {
        /**
         * For Ingresses without the annotations load-balance, upstream-hash-by and affinity; `round_robin` when absent. `consistent_hash` is of the client's address.
         */
        readonly algorithm?: 'round_robin' | 'least_requests' | 'ewma' | 'consistent_hash'
        /**
         * How long the share of an endpoint that joins others grows, but not with `consistent_hash`; 0 when absent.
         */
        readonly slowStartSeconds?: number
      }
      /**
       * Settings under the keys of the ingress-nginx ConfigMap, as in `proxy-read-timeout: "30"`. A key without effect here, or a value that can't be read, is named in the condition `Admitted` and in an Event; the others apply.
       */
      readonly ingressNginx?: {
        readonly [k: string]: string
      }
    }
    /**
     * The operator leaves this instance and its objects as they are. Deletion is carried out all the same.
     */
    readonly paused: boolean
  }
  /**
   * What is. Written by the operator only.
   */
  readonly status?: {
    /**
     * Generation of the spec that this status speaks of.
     */
    readonly observedGeneration?: number
    /**
     * Name of the IngressClass that is served.
     */
    readonly ingressClass?: string
    /**
     * Pods that exist.
     */
    readonly replicas?: number
    /**
     * Pods that are ready.
     */
    readonly readyReplicas?: number
    /**
     * Pods that have been ready for long enough.
     */
    readonly availableReplicas?: number
    /**
     * Pods of the newest revision.
     */
    readonly updatedReplicas?: number
    /**
     * Label selector of the pods, for the scale subresource and autoscalers.
     */
    readonly selector?: string
    /**
     * Where clients reach the proxies.
     *
     * Items: One address.
     */
    readonly addresses?: {
      /**
       * Kind of address.
       */
      readonly type: 'IPAddress' | 'Hostname'
      /**
       * The address.
       */
      readonly value: string
    }[]
    /**
     * Ports on every node, where the Service has them.
     */
    readonly nodePorts?: {
      /**
       * For plain HTTP.
       */
      readonly http?: number
      /**
       * For HTTPS.
       */
      readonly https?: number
    }
    /**
     * The default certificate as last checked.
     */
    readonly certificate?: {
      /**
       * Its Secret.
       */
      readonly secretName?: string
      /**
       * Its serial number, in hexadecimal.
       */
      readonly serialNumber?: string
      /**
       * Start of its validity.
       */
      readonly notBefore?: string
      /**
       * End of its validity.
       */
      readonly notAfter?: string
      /**
       * SHA-256 of the certificate, in hexadecimal.
       */
      readonly fingerprint?: string
    }
    /**
     * Namespaces whose Ingresses are served, where the scope confines them.
     */
    readonly namespaces?: string[]
    /**
     * What is so, and why.
     */
    readonly conditions?: readonly Condition[]
  }
}

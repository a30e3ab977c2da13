// Generated from crds/ingressdeployment.yaml by `make generate`. Do not edit.
export const ingressDeploymentSchema = {
  "type": "object",
  "title": "IngressDeployment",
  "description": "A fleet of ingress proxies with one IngressClass, one address and one configuration. The operator turns it into a Deployment, a Service, an IngressClass, RBAC, a ConfigMap and a TLS Secret, and keeps them so.",
  "required": [
    "spec"
  ],
  "properties": {
    "apiVersion": {
      "type": "string",
      "description": "Version of the API; `ingressfleet.dev/v1alpha1`."
    },
    "kind": {
      "type": "string",
      "description": "Kind of the object; `IngressDeployment`."
    },
    "metadata": {
      "type": "object"
    },
    "spec": {
      "type": "object",
      "description": "What is wanted.",
      "default": {},
      "properties": {
        "ingressClass": {
          "type": "object",
          "description": "The IngressClass that this instance creates, owns and serves.",
          "default": {},
          "properties": {
            "name": {
              "type": "string",
              "description": "Name of the IngressClass; `metadata.name` when absent. It can't be changed later.",
              "minLength": 1,
              "maxLength": 253,
              "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
            },
            "default": {
              "type": "boolean",
              "description": "Mark the class as the cluster's default: Ingresses created without a class get it, and those that name none are served too.",
              "default": false
            },
            "controller": {
              "type": "string",
              "description": "Controller name of the IngressClass. `k8s.io/ingress-nginx` takes over manifests written for ingress-nginx, the annotation `kubernetes.io/ingress.class` included.",
              "default": "ingressfleet.dev/ingress-controller",
              "enum": [
                "ingressfleet.dev/ingress-controller",
                "k8s.io/ingress-nginx"
              ]
            }
          },
          "additionalProperties": false
        },
        "replicas": {
          "type": "integer",
          "format": "int32",
          "description": "Number of proxies. 0 is a real value. `kubectl scale igd NAME --replicas N` sets it.",
          "default": 2,
          "minimum": 0,
          "maximum": 1000
        },
        "service": {
          "type": "object",
          "description": "The Service through which clients reach the proxies.",
          "default": {},
          "properties": {
            "type": {
              "type": "string",
              "description": "Type of the Service. It can be changed in place.",
              "default": "LoadBalancer",
              "enum": [
                "LoadBalancer",
                "NodePort",
                "ClusterIP"
              ]
            },
            "ports": {
              "type": "object",
              "description": "Ports of the Service.",
              "default": {},
              "properties": {
                "http": {
                  "type": "object",
                  "description": "Port for plain HTTP.",
                  "default": {},
                  "properties": {
                    "port": {
                      "type": "integer",
                      "format": "int32",
                      "description": "Port of the Service.",
                      "default": 80,
                      "minimum": 1,
                      "maximum": 65535
                    },
                    "nodePort": {
                      "type": "integer",
                      "format": "int32",
                      "description": "Port on every node; allocated by the API server when absent, and then kept.",
                      "minimum": 1,
                      "maximum": 65535
                    }
                  },
                  "additionalProperties": false
                },
                "https": {
                  "type": "object",
                  "description": "Port for HTTPS.",
                  "default": {},
                  "properties": {
                    "port": {
                      "type": "integer",
                      "format": "int32",
                      "description": "Port of the Service.",
                      "default": 443,
                      "minimum": 1,
                      "maximum": 65535
                    },
                    "nodePort": {
                      "type": "integer",
                      "format": "int32",
                      "description": "Port on every node; allocated by the API server when absent, and then kept.",
                      "minimum": 1,
                      "maximum": 65535
                    }
                  },
                  "additionalProperties": false
                }
              },
              "additionalProperties": false
            },
            "annotations": {
              "type": "object",
              "description": "Annotations of the Service, as the cluster's load-balancer controller wants them. Those of others are kept.",
              "additionalProperties": {
                "type": "string"
              }
            },
            "labels": {
              "type": "object",
              "description": "Labels of the Service beside those of ingress-fleet. Those of others are kept.",
              "additionalProperties": {
                "type": "string",
                "maxLength": 63
              }
            },
            "externalTrafficPolicy": {
              "type": "string",
              "description": "`Local` keeps the client's address and sends traffic only to nodes with a proxy; `Cluster` spreads over all nodes. `Cluster` when absent.",
              "enum": [
                "Cluster",
                "Local"
              ]
            },
            "loadBalancerClass": {
              "type": "string",
              "description": "Which load-balancer controller implements the Service. It can't be changed later.",
              "minLength": 1,
              "maxLength": 253
            },
            "loadBalancerSourceRanges": {
              "type": "array",
              "description": "Client networks, in CIDR notation, that the load balancer lets in; all of them when empty.",
              "maxItems": 256,
              "items": {
                "type": "string",
                "maxLength": 64
              }
            },
            "ipFamilyPolicy": {
              "type": "string",
              "description": "IP families of the Service; the cluster's default when absent.",
              "enum": [
                "SingleStack",
                "PreferDualStack",
                "RequireDualStack"
              ]
            }
          },
          "additionalProperties": false
        },
        "pod": {
          "type": "object",
          "description": "The pods in which the proxies run.",
          "default": {},
          "properties": {
            "image": {
              "type": "string",
              "description": "Image of the proxy; the operator's own when absent.",
              "minLength": 1,
              "maxLength": 1024
            },
            "imagePullSecrets": {
              "type": "array",
              "description": "Secrets of the same namespace with credentials for the image's registry.",
              "maxItems": 16,
              "items": {
                "type": "object",
                "description": "One Secret.",
                "required": [
                  "name"
                ],
                "properties": {
                  "name": {
                    "type": "string",
                    "description": "Name of the Secret.",
                    "minLength": 1,
                    "maxLength": 253
                  }
                },
                "additionalProperties": false
              }
            },
            "resources": {
              "type": "object",
              "description": "Processor and memory of the container. The number of data workers follows the processor limit when there is one, else the request.",
              "default": {
                "requests": {
                  "cpu": "100m",
                  "memory": "128Mi"
                }
              },
              "properties": {
                "requests": {
                  "type": "object",
                  "description": "What the scheduler reserves.",
                  "additionalProperties": {
                    "pattern": "^([0-9]+|[0-9]*\\.[0-9]+)([eE][-+]?[0-9]+|[KMGTPE]i?|[munk])?$",
                    "anyOf": [
                      {
                        "type": "integer"
                      },
                      {
                        "type": "string"
                      }
                    ],
                    "description": "A quantity, as in 100m or 128Mi."
                  }
                },
                "limits": {
                  "type": "object",
                  "description": "What the container may not exceed.",
                  "additionalProperties": {
                    "pattern": "^([0-9]+|[0-9]*\\.[0-9]+)([eE][-+]?[0-9]+|[KMGTPE]i?|[munk])?$",
                    "anyOf": [
                      {
                        "type": "integer"
                      },
                      {
                        "type": "string"
                      }
                    ],
                    "description": "A quantity, as in 100m or 128Mi."
                  }
                }
              },
              "additionalProperties": false
            },
            "nodeSelector": {
              "type": "object",
              "description": "Labels that a node must have.",
              "additionalProperties": {
                "type": "string"
              }
            },
            "tolerations": {
              "type": "array",
              "description": "Taints that the pods tolerate.",
              "maxItems": 64,
              "items": {
                "type": "object",
                "description": "One toleration, as in a Pod.",
                "properties": {
                  "key": {
                    "type": "string",
                    "description": "Key of the taint; every key when empty, with operator Exists."
                  },
                  "operator": {
                    "type": "string",
                    "description": "How the value is compared.",
                    "enum": [
                      "Exists",
                      "Equal"
                    ]
                  },
                  "value": {
                    "type": "string",
                    "description": "Value of the taint, with operator Equal."
                  },
                  "effect": {
                    "type": "string",
                    "description": "Effect of the taint; every effect when absent.",
                    "enum": [
                      "NoSchedule",
                      "PreferNoSchedule",
                      "NoExecute"
                    ]
                  },
                  "tolerationSeconds": {
                    "type": "integer",
                    "format": "int64",
                    "description": "How long a NoExecute taint is tolerated."
                  }
                },
                "additionalProperties": false
              }
            },
            "affinity": {
              "type": "object",
              "description": "Affinity, as in a Pod. The API server checks it when the Deployment is applied."
            },
            "topologySpreadConstraints": {
              "type": "array",
              "description": "How pods are spread, as in a Pod; a constraint without labelSelector gets this instance's. When absent, pods are spread over nodes and zones where that is possible.",
              "maxItems": 16,
              "items": {
                "type": "object",
                "description": "One constraint.",
                "required": [
                  "maxSkew",
                  "topologyKey",
                  "whenUnsatisfiable"
                ],
                "properties": {
                  "maxSkew": {
                    "type": "integer",
                    "format": "int32",
                    "description": "Largest difference of pods between two domains.",
                    "minimum": 1
                  },
                  "topologyKey": {
                    "type": "string",
                    "description": "Label of nodes whose values are the domains.",
                    "minLength": 1
                  },
                  "whenUnsatisfiable": {
                    "type": "string",
                    "description": "What happens when it can't be kept.",
                    "enum": [
                      "DoNotSchedule",
                      "ScheduleAnyway"
                    ]
                  }
                }
              }
            },
            "priorityClassName": {
              "type": "string",
              "description": "PriorityClass of the pods.",
              "maxLength": 253
            },
            "labels": {
              "type": "object",
              "description": "Labels of the pods beside those of ingress-fleet.",
              "maxProperties": 64,
              "additionalProperties": {
                "type": "string",
                "maxLength": 63
              }
            },
            "annotations": {
              "type": "object",
              "description": "Annotations of the pods.",
              "additionalProperties": {
                "type": "string"
              }
            },
            "terminationGracePeriodSeconds": {
              "type": "integer",
              "format": "int64",
              "description": "Longest time from the end of a pod's life being announced to its processes being killed. Requests in flight get that time, less the wait for load balancers to notice, to end.",
              "default": 90,
              "minimum": 15,
              "maximum": 3600
            }
          },
          "additionalProperties": false
        },
        "scope": {
          "type": "object",
          "description": "Which Ingresses of the class are served; all of them when empty.",
          "default": {},
          "properties": {
            "namespaces": {
              "type": "array",
              "description": "Only Ingresses of these namespaces; all reads of the proxies are then confined to them. One that does not exist yet is served as soon as it does.",
              "minItems": 1,
              "maxItems": 1024,
              "items": {
                "type": "string",
                "minLength": 1,
                "maxLength": 63,
                "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
              }
            },
            "namespaceSelector": {
              "type": "object",
              "description": "Only Ingresses of namespaces with these labels; followed as labels change.",
              "properties": {
                "matchLabels": {
                  "type": "object",
                  "description": "Labels that must have these values.",
                  "additionalProperties": {
                    "type": "string"
                  }
                },
                "matchExpressions": {
                  "type": "array",
                  "description": "Requirements that must all hold.",
                  "maxItems": 64,
                  "items": {
                    "type": "object",
                    "description": "One requirement.",
                    "required": [
                      "key",
                      "operator"
                    ],
                    "properties": {
                      "key": {
                        "type": "string",
                        "description": "Key of the label.",
                        "minLength": 1
                      },
                      "operator": {
                        "type": "string",
                        "description": "How values are compared.",
                        "enum": [
                          "In",
                          "NotIn",
                          "Exists",
                          "DoesNotExist"
                        ]
                      },
                      "values": {
                        "type": "array",
                        "description": "Values for In and NotIn; none for Exists and DoesNotExist.",
                        "items": {
                          "type": "string"
                        }
                      }
                    },
                    "additionalProperties": false
                  }
                }
              },
              "additionalProperties": false
            },
            "ingressSelector": {
              "type": "object",
              "description": "Only Ingresses with these labels.",
              "properties": {
                "matchLabels": {
                  "type": "object",
                  "description": "Labels that must have these values.",
                  "additionalProperties": {
                    "type": "string"
                  }
                },
                "matchExpressions": {
                  "type": "array",
                  "description": "Requirements that must all hold.",
                  "maxItems": 64,
                  "items": {
                    "type": "object",
                    "description": "One requirement.",
                    "required": [
                      "key",
                      "operator"
                    ],
                    "properties": {
                      "key": {
                        "type": "string",
                        "description": "Key of the label.",
                        "minLength": 1
                      },
                      "operator": {
                        "type": "string",
                        "description": "How values are compared.",
                        "enum": [
                          "In",
                          "NotIn",
                          "Exists",
                          "DoesNotExist"
                        ]
                      },
                      "values": {
                        "type": "array",
                        "description": "Values for In and NotIn; none for Exists and DoesNotExist.",
                        "items": {
                          "type": "string"
                        }
                      }
                    },
                    "additionalProperties": false
                  }
                }
              },
              "additionalProperties": false
            }
          },
          "additionalProperties": false
        },
        "tls": {
          "type": "object",
          "description": "TLS of the proxies.",
          "default": {},
          "properties": {
            "defaultCertificate": {
              "type": "object",
              "description": "Certificate for hosts without one of their own. When empty, a self-signed one is generated.",
              "default": {},
              "properties": {
                "secretName": {
                  "type": "string",
                  "description": "Secret of type kubernetes.io/tls in the same namespace. The key must belong to the certificate, and it must be valid now; otherwise the last good pair keeps being served.",
                  "minLength": 1,
                  "maxLength": 253,
                  "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
                },
                "generated": {
                  "type": "object",
                  "description": "A self-signed certificate that the operator makes.",
                  "properties": {
                    "hosts": {
                      "type": "array",
                      "description": "Host names of the certificate; `ingress.local` when absent. A wildcard covers one label.",
                      "minItems": 1,
                      "maxItems": 100,
                      "items": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 253,
                        "pattern": "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
                      }
                    }
                  },
                  "additionalProperties": false
                }
              },
              "additionalProperties": false
            }
          },
          "additionalProperties": false
        },
        "configuration": {
          "type": "object",
          "description": "Settings of the proxies, applied by running ones without a restart. What is set here wins over the same setting in `ingressNginx`.",
          "default": {},
          "properties": {
            "workers": {
              "type": "integer",
              "format": "int32",
              "description": "Data workers of each proxy; one per processor granted when absent. New pods use it.",
              "minimum": 1,
              "maximum": 64
            },
            "accessLog": {
              "type": "string",
              "description": "Format of the access log on standard output; `text` is ingress-nginx's default format, and the default.",
              "enum": [
                "off",
                "text",
                "json"
              ]
            },
            "trustForwardedHeaders": {
              "type": "boolean",
              "description": "Believe X-Forwarded-* headers of clients. Only behind a proxy that sets them itself. False when absent."
            },
            "tlsRedirect": {
              "type": "boolean",
              "description": "Redirect HTTP to HTTPS on hosts with TLS; an Ingress may say otherwise. True when absent."
            },
            "redirectStatus": {
              "type": "integer",
              "description": "Status of that redirect; 308 when absent.",
              "enum": [
                301,
                302,
                307,
                308
              ]
            },
            "timeouts": {
              "type": "object",
              "description": "Timeouts of the proxies.",
              "properties": {
                "clientHeadSeconds": {
                  "type": "integer",
                  "description": "For a whole request head; 10 when absent.",
                  "minimum": 1,
                  "maximum": 3600
                },
                "clientBodySeconds": {
                  "type": "integer",
                  "description": "Between two pieces of a request body; 60 when absent.",
                  "minimum": 1,
                  "maximum": 3600
                },
                "slowClientGraceSeconds": {
                  "type": "integer",
                  "description": "How long a request may fall short of `minHeadBytesPerSecond` or `minBodyBytesPerSecond`; 5 when absent.",
                  "minimum": 1,
                  "maximum": 3600
                },
                "keepAliveSeconds": {
                  "type": "integer",
                  "description": "Idle time of a client connection; 75 when absent.",
                  "minimum": 1,
                  "maximum": 3600
                },
                "connectSeconds": {
                  "type": "integer",
                  "description": "To connect to an endpoint; 5 when absent.",
                  "minimum": 1,
                  "maximum": 3600
                },
                "readSeconds": {
                  "type": "integer",
                  "description": "Until an endpoint sends its next byte; 60 when absent.",
                  "minimum": 1,
                  "maximum": 86400
                },
                "sendSeconds": {
                  "type": "integer",
                  "description": "Until an endpoint or a client takes the next byte; 60 when absent.",
                  "minimum": 1,
                  "maximum": 86400
                },
                "tunnelDrainSeconds": {
                  "type": "integer",
                  "description": "When a proxy ends, each WebSocket is closed with 1001 at a moment of its own in the second half of this time; 30 when absent. 0 closes all of them at once.",
                  "minimum": 0,
                  "maximum": 3600
                }
              },
              "additionalProperties": false
            },
            "limits": {
              "type": "object",
              "description": "Limits of the proxies.",
              "properties": {
                "maxBodyBytes": {
                  "type": "integer",
                  "format": "int64",
                  "description": "Longest request body, 0 for no limit; 1048576 when absent. Over it the answer is 413.",
                  "minimum": 0
                },
                "maxRequestLineBytes": {
                  "type": "integer",
                  "description": "Longest request line; 16384 when absent. Over it the answer is 414.",
                  "minimum": 1024,
                  "maximum": 65536
                },
                "maxHeaderBytes": {
                  "type": "integer",
                  "description": "Longest header section; 32768 when absent. Over it the answer is 431.",
                  "minimum": 1024,
                  "maximum": 65536
                },
                "maxHeaderCount": {
                  "type": "integer",
                  "description": "Most header fields of a request; 100 when absent. Over it the answer is 431.",
                  "minimum": 10,
                  "maximum": 1000
                },
                "maxConnections": {
                  "type": "integer",
                  "description": "Most client connections of one worker; 16384 when absent.",
                  "minimum": 1,
                  "maximum": 1000000
                },
                "maxConnectionsPerAddress": {
                  "type": "integer",
                  "description": "Most client connections of one worker from one IPv4 address or IPv6 /64, 0 for no limit; 0 when absent, because behind a NAT or a load balancer many clients have one address.",
                  "minimum": 0,
                  "maximum": 1000000
                },
                "maxRequestsPerConnection": {
                  "type": "integer",
                  "description": "Requests on one client connection, 0 for no limit; 1000 when absent.",
                  "minimum": 0
                },
                "minHeadBytesPerSecond": {
                  "type": "integer",
                  "description": "Slowest request head, 0 for no limit; 100 when absent. Under it the answer is 408.",
                  "minimum": 0,
                  "maximum": 1000000
                },
                "minBodyBytesPerSecond": {
                  "type": "integer",
                  "description": "Slowest request body, 0 for no limit; 240 when absent. Under it the answer is 408.",
                  "minimum": 0,
                  "maximum": 1000000
                },
                "maxMemoryBytes": {
                  "type": "integer",
                  "format": "int64",
                  "description": "Memory of a proxy above which new requests get 503, 0 for 85 percent of the container's memory limit, if it has one; 0 when absent.",
                  "minimum": 0
                },
                "maxBufferedBodyBytes": {
                  "type": "integer",
                  "description": "Most bytes of a request body that are held where requests are buffered; 1048576 when absent. A longer body is passed on as it comes.",
                  "minimum": 1,
                  "maximum": 67108864
                }
              },
              "additionalProperties": false
            },
            "requestBuffering": {
              "type": "boolean",
              "description": "Read a request body whole before an endpoint is asked, where the Ingress does not say otherwise; false when absent."
            },
            "upstreamKeepAlive": {
              "type": "object",
              "description": "Connections to endpoints that are kept open.",
              "properties": {
                "maxIdlePerEndpoint": {
                  "type": "integer",
                  "description": "Idle connections per endpoint and worker; 320 when absent.",
                  "minimum": 0,
                  "maximum": 10000
                },
                "idleSeconds": {
                  "type": "integer",
                  "description": "How long an idle one is kept; 60 when absent.",
                  "minimum": 1,
                  "maximum": 3600
                },
                "maxLifetimeSeconds": {
                  "type": "integer",
                  "description": "Longest time that one connection is used, 0 for no limit; 3600 when absent. Each gets up to a tenth less, so that they do not all end at once.",
                  "minimum": 0,
                  "maximum": 86400
                },
                "maxRequestsPerConnection": {
                  "type": "integer",
                  "description": "Requests on one connection, 0 for no limit; 10000 when absent.",
                  "minimum": 0
                }
              },
              "additionalProperties": false
            },
            "loadBalance": {
              "type": "object",
              "description": "How an endpoint is chosen for a request.",
              "properties": {
                "algorithm": {
                  "type": "string",
                  "description": "For Ingresses without the annotations load-balance, upstream-hash-by and affinity; `round_robin` when absent. `consistent_hash` is of the client's address.",
                  "enum": [
                    "round_robin",
                    "least_requests",
                    "ewma",
                    "consistent_hash"
                  ]
                },
                "slowStartSeconds": {
                  "type": "integer",
                  "description": "How long the share of an endpoint that joins others grows, but not with `consistent_hash`; 0 when absent.",
                  "minimum": 0,
                  "maximum": 3600
                }
              },
              "additionalProperties": false
            },
            "ingressNginx": {
              "type": "object",
              "description": "Settings under the keys of the ingress-nginx ConfigMap, as in `proxy-read-timeout: \"30\"`. A key without effect here, or a value that can't be read, is named in the condition `Admitted` and in an Event; the others apply.",
              "maxProperties": 200,
              "additionalProperties": {
                "type": "string"
              }
            }
          },
          "additionalProperties": false
        },
        "paused": {
          "type": "boolean",
          "description": "The operator leaves this instance and its objects as they are. Deletion is carried out all the same.",
          "default": false
        }
      },
      "additionalProperties": false
    },
    "status": {
      "type": "object",
      "description": "What is. Written by the operator only.",
      "properties": {
        "observedGeneration": {
          "type": "integer",
          "format": "int64",
          "description": "Generation of the spec that this status speaks of."
        },
        "ingressClass": {
          "type": "string",
          "description": "Name of the IngressClass that is served."
        },
        "replicas": {
          "type": "integer",
          "format": "int32",
          "description": "Pods that exist."
        },
        "readyReplicas": {
          "type": "integer",
          "format": "int32",
          "description": "Pods that are ready."
        },
        "availableReplicas": {
          "type": "integer",
          "format": "int32",
          "description": "Pods that have been ready for long enough."
        },
        "updatedReplicas": {
          "type": "integer",
          "format": "int32",
          "description": "Pods of the newest revision."
        },
        "selector": {
          "type": "string",
          "description": "Label selector of the pods, for the scale subresource and autoscalers."
        },
        "addresses": {
          "type": "array",
          "description": "Where clients reach the proxies.",
          "items": {
            "type": "object",
            "description": "One address.",
            "required": [
              "type",
              "value"
            ],
            "properties": {
              "type": {
                "type": "string",
                "description": "Kind of address.",
                "enum": [
                  "IPAddress",
                  "Hostname"
                ]
              },
              "value": {
                "type": "string",
                "description": "The address."
              }
            },
            "additionalProperties": false
          }
        },
        "nodePorts": {
          "type": "object",
          "description": "Ports on every node, where the Service has them.",
          "properties": {
            "http": {
              "type": "integer",
              "format": "int32",
              "description": "For plain HTTP."
            },
            "https": {
              "type": "integer",
              "format": "int32",
              "description": "For HTTPS."
            }
          },
          "additionalProperties": false
        },
        "certificate": {
          "type": "object",
          "description": "The default certificate as last checked.",
          "properties": {
            "secretName": {
              "type": "string",
              "description": "Its Secret."
            },
            "serialNumber": {
              "type": "string",
              "description": "Its serial number, in hexadecimal."
            },
            "notBefore": {
              "type": "string",
              "format": "date-time",
              "description": "Start of its validity."
            },
            "notAfter": {
              "type": "string",
              "format": "date-time",
              "description": "End of its validity."
            },
            "fingerprint": {
              "type": "string",
              "description": "SHA-256 of the certificate, in hexadecimal."
            }
          },
          "additionalProperties": false
        },
        "namespaces": {
          "type": "array",
          "description": "Namespaces whose Ingresses are served, where the scope confines them.",
          "items": {
            "type": "string"
          }
        },
        "conditions": {
          "type": "array",
          "description": "What is so, and why.",
          "items": {
            "type": "object",
            "description": "One condition.",
            "required": [
              "type",
              "status",
              "reason",
              "message",
              "lastTransitionTime"
            ],
            "properties": {
              "type": {
                "type": "string",
                "description": "What the condition is about.",
                "maxLength": 316
              },
              "status": {
                "type": "string",
                "description": "Whether it holds.",
                "enum": [
                  "True",
                  "False",
                  "Unknown"
                ]
              },
              "observedGeneration": {
                "type": "integer",
                "format": "int64",
                "description": "Generation of the spec that it speaks of."
              },
              "lastTransitionTime": {
                "type": "string",
                "format": "date-time",
                "description": "When the status last changed."
              },
              "reason": {
                "type": "string",
                "description": "Stable word for programs.",
                "maxLength": 1024
              },
              "message": {
                "type": "string",
                "description": "Text for people, with what to do next.",
                "maxLength": 32768
              }
            },
            "additionalProperties": false
          }
        }
      },
      "additionalProperties": false
    }
  },
  "additionalProperties": false
} as const

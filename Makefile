# Every target may be run twice in a row. `make` alone prints this list.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# Image that is built, deployed and loaded.
IMG ?= localhost/ingress-fleet:dev

sources := $(shell find src crds -type f 2>/dev/null)
modules := node_modules/.package-lock.json
bundle := dist/ingress-fleet.js
kubectl := $(shell command -v kubectl || echo hack/cluster/cluster kubectl)

# First the instances, while the operator is there to clean up behind them: without it their finalizer would keep the CRD.
delete-instances := if $(kubectl) get crd ingressdeployments.ingressfleet.dev >/dev/null 2>&1; then \
	$(kubectl) delete igd --all --all-namespaces --timeout=5m; fi

##@ General

help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Try it

demo: $(bundle) ## The main job without a cluster, until Ctrl-C (ONCE=1: send the requests and end)
	@ONCE=$(ONCE) node hack/demo.ts

cluster: image ## A real cluster on this machine with the operator deployed; prints KUBECONFIG (root)
	@hack/cluster-up $(IMG)

cluster-down: ## Stop that cluster and remove every trace of it
	@hack/cluster/cluster down

##@ Development

build: $(bundle) ## Bundle the program into dist/

generate: $(modules) ## Derive types, validator schema and reference from crds/
	@node hack/generate.ts

format: $(modules) ## Format all files
	@biome check --write --log-level=warn .

check: $(modules) ## Format, lint, types, layers, generated files, dead code, docs against tables
	@node hack/check.ts

test: $(bundle) ## Every test that needs no root; last line: N passed, N failed
	@node hack/run-tests.ts unit features soak attacks integration

test-node-24: $(bundle) ## Unit and feature tests on the oldest Node supported
	@hack/with-node-24 node hack/run-tests.ts unit features soak

soak: $(bundle) ## Zero loss under every kind of change, then memory over an hour (MINUTES=10: another time)
	@node hack/soak.ts $(if $(MINUTES),--minutes $(MINUTES))

e2e: image ## Real node, real pods of the real image (root, Debian or Ubuntu); last line as above
	@hack/install-node-packages
	@node hack/run-tests.ts e2e

bench: $(bundle) ## Side by side with nginx, HAProxy and Caddy: a table of ratios (ONLY=small,tls QUICK=1)
	@ONLY=$(ONLY) QUICK=$(QUICK) node hack/bench.ts

bench-micro: $(modules) ## Nanoseconds per call of each hot function against the last saved (ONLY=name SAVE=1)
	@ONLY=$(ONLY) SAVE=$(SAVE) node --expose-gc hack/bench-micro.ts

##@ Build

image: $(bundle) ## The image as dist/image.tar and under its tag
	@hack/image $(IMG)

docker-build: image ## The same, by the name that operator-sdk gives it

build-installer: $(bundle) ## One file with everything to install: dist/install.yaml
	@hack/build-installer $(IMG)

##@ Deployment, to the cluster of the current kubeconfig

install: ## Install the CRD
	@$(kubectl) apply --server-side -k config/crd

uninstall: ## Remove every IngressDeployment, then the CRD
	@$(delete-instances)
	@$(kubectl) delete --ignore-not-found -k config/crd

deploy: build-installer ## Install CRD, RBAC and operator
	@$(kubectl) apply --server-side -f dist/install.yaml

undeploy: build-installer ## Remove every IngressDeployment, then CRD, RBAC and operator
	@$(delete-instances)
	@$(kubectl) delete --ignore-not-found -f dist/install.yaml

run: $(bundle) install ## Run the operator out of the cluster
	@node $(bundle) operator --leader-elect=false --proxy-image=$(IMG)

$(modules): package.json package-lock.json
	@hack/install-modules
	@touch $@

$(bundle): $(modules) $(sources) hack/build.ts
	@npm run --silent build

.PHONY: help demo cluster cluster-down build generate format check test test-node-24 soak e2e bench bench-micro image \
	docker-build build-installer install uninstall deploy undeploy run

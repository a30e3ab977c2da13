# The one image of ingress-fleet: operator and proxy. No RUN: it is built without network, privileges or emulation.
#
# BASE is any image with glibc, libstdc++, libgcc and CA certificates. A release pins the default by digest
# (--build-arg BASE=gcr.io/distroless/cc-debian12@sha256:...); hack/base-image makes one from a Debian machine.
ARG BASE=gcr.io/distroless/cc-debian12:nonroot
FROM ${BASE}

# x64 or arm64, as Node.js names them.
ARG NODE_ARCH=x64
ARG VERSION=dev

LABEL org.opencontainers.image.title="ingress-fleet" \
      org.opencontainers.image.description="A Kubernetes operator for fleets of endpoint-aware ingress proxies" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

# dist/image is made by hack/image: libatomic, which Node.js 26 needs and distroless lacks, and /dbg.
COPY dist/image/libatomic.so.1 /usr/lib/
COPY node_modules/node-linux-${NODE_ARCH}/bin/node /nodejs/bin/
COPY dist/image/dbg /
COPY package.json /app/
COPY dist/*.js /app/dist/

ENV NODE_ENV=production
WORKDIR /
USER 65532:65532
EXPOSE 8080 8443 10254
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/ingress-fleet.js"]

module ingressfleet.dev/test/e2e/apps/echo

go 1.21

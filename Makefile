# Two targets do all the set-up by themselves: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
export CGO_ENABLED := 0
GO ?= go
VERSIONED := github.com/versity/versitygw/cmd/versitygw@v1.8.0
PACKAGES := frr frr-pythontools openssh-server openssh-client sshpass iproute2 procps sudo busybox nftables age zstd libyang2-tools inetutils-telnetd ser2net libyuma-base
BENCH_PACKAGES := rancid restic
DEMO := demo
# Recordings and configurations of real devices, beside the project where there are any.
ifeq ($(CFGVAULT_CORPUS),)
ifneq ($(wildcard ../shared/corpus),)
export CFGVAULT_CORPUS := $(abspath ../shared/corpus)
endif
endif

.PHONY: build test demo e2e bench corpus lint fuzz deps clean

build: bin/cfgvault

bin/cfgvault: FORCE
	@$(GO) build -trimpath -o $@ ./agent/cmd/cfgvault

FORCE:

## demo: back up, wipe, restore and verify a simulated switch; the vault stays in ./demo
demo: build
	@bin/cfgvault demo --dir $(DEMO)

## test: everything, on real devices; installs what it needs when it may
test: deps lint
	@$(GO) test -count=1 -timeout 30m -v ./... 2>&1 | awk -v noskip=$(NOSKIP) -f e2e/testlog.awk

## e2e: the end-to-end tests alone; RUN=pattern picks some
e2e: deps
	@$(GO) test -count=1 -timeout 30m -v ./e2e/... $(if $(RUN),-run '$(RUN)')

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	@$(GO) vet ./...

## deps: Debian packages (as root) and the S3 server for the tests
deps:
	@missing=; for p in $(PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then \
	  if [ "$$(id -u)" = 0 ]; then \
	    echo "deps: installing$$missing"; apt-get update -qq >/dev/null; \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	  else echo "deps: missing Debian packages:$$missing; as root: apt-get install$$missing" >&2; exit 1; fi; fi
	@mkdir -p bin; test -x bin/versitygw || { echo "deps: building versitygw"; GOBIN=$(CURDIR)/bin $(GO) install $(VERSIONED); }

## bench: the budgets, as ratios side by side in one run
bench: build deps
	@missing=; for p in $(BENCH_PACKAGES); do dpkg -s $$p >/dev/null 2>&1 || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "rancid rancid/go_on boolean true" | debconf-set-selections; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; fi
	@$(GO) run ./e2e/bench -cfgvault $(CURDIR)/bin/cfgvault

## corpus: interfaces and lines of real devices' configurations, against what the devices said of themselves; FILES=folder: lines and laws of folder/DRIVER/*
corpus:
	@$(GO) run ./e2e/corpus/report $(if $(WRONG),-wrong) $(if $(FILES),-files '$(FILES)')

## fuzz: every fuzz target for FUZZTIME (30s)
FUZZTIME ?= 30s
fuzz:
	@for pkg in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$pkg 2>/dev/null | grep '^Fuzz' || true); do \
	  echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; done; done

clean:
	@rm -rf bin $(DEMO)

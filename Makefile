# image-sharer: build, run, test. `make help` lists the targets.

CARGO   ?= cargo
# The release binaries are static; that needs the target named, or procedural macros break.
HOST    := $(shell rustc -vV | sed -n 's/^host: //p')
DIST    := target/dist
TOOLS   := target/tools
PEERS   := target/peers
PYTHON  ?= python3
PROGRAMS = image-sharer image-server image-worker
CARGO_DENY = 0.20.2
CARGO_FUZZ = 0.13.2
# For how long `make fuzz` runs each target, and which it runs.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?=
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# The time of all files in what is packed, so that it comes out the same each time.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)
export CARGO PREFIX SYSCONFDIR DESTDIR INIT SOURCE_DATE_EPOCH

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: run
run: ## Share images from this machine: server, worker, store and queue in one, on 127.0.0.1:8080
	$(CARGO) run --locked --profile quick --bin image-sharer

.PHONY: run-aws
run-aws: ## Start a server and a worker on SHARER_STORE=s3://… and SHARER_QUEUE=sqs://… of your account
	@$(CARGO) build --locked --profile quick --bin image-server --bin image-worker
	@SHARER_LISTEN=$${SHARER_LISTEN:-127.0.0.1:8080} deploy/run-aws target/quick

.PHONY: test
test: peers ## Run all tests (needs Rust, make and Python 3)
	$(CARGO) test --locked --all-targets
	$(CARGO) test --locked --manifest-path init/minimal/Cargo.toml --target-dir target/init
	$(CARGO) test --locked --manifest-path deploy/capacity/Cargo.toml --target-dir target/capacity

# For how long `make chaos` lets faults go on, in all.
CHAOS_SECONDS ?= 600
export CHAOS_SECONDS

.PHONY: chaos
chaos: peers ## Kill, stop, fill, freeze under load for CHAOS_SECONDS, 600 if not set (docs/reliability.md)
	$(CARGO) test --locked --test chaos

.PHONY: test-deploy
test-deploy: $(PEERS)/deploy ## Test what is in deploy/: the template, its roles, the publishing of images (tests/deploy/)
	$(CARGO) build --locked --bin image-server --bin image-worker
	$(PEERS)/bin/python $(PEERS)/bin/cfn-lint --include-checks I -- deploy/template.yaml
	$(PEERS)/bin/python tests/deploy/run.py target/debug

# The AWS CLI and the linter of templates, beside the peers.
$(PEERS)/deploy: tests/deploy/requirements.txt $(PEERS)/ready
	@echo "installing the AWS CLI and cfn-lint of the tests into $(PEERS)/"
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $<
	@touch $@

.PHONY: peers
peers: $(PEERS)/ready ## Install the S3 and SQS servers that the tests run against into target/peers/

# Made anew when the requirements change; nothing outside the folder is touched.
$(PEERS)/ready: tests/peers/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	{ echo "the tests need Python 3.10 or newer as $(PYTHON); name another by: make test PYTHON=…" >&2; exit 1; }
	@echo "installing the S3 and SQS servers of the tests into $(PEERS)/"
	@mkdir -p $(PEERS)
	@$(PYTHON) -m venv --clear $(PEERS) || \
	{ echo "$(PYTHON) has no venv: install it (Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	@$(PEERS)/bin/pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $< || \
	{ echo "the tests' servers were not installed: pip says why above; it needs PyPI or a mirror (PIP_INDEX_URL)" >&2; exit 1; }
	@touch $@

# Static, and smaller: relocations packed, which a static program undoes itself by glibc 2.36 or newer; and
# functions of the same instructions kept once, which LLD does, Rust's linker on this processor.
STATIC := -C target-feature=+crt-static
ifeq ($(HOST),x86_64-unknown-linux-gnu)
STATIC += -C link-arg=-Wl,--icf=safe
STATIC += $(shell getconf GNU_LIBC_VERSION | awk '{ split($$2, v, "."); if (v[1] > 2 || v[2] >= 36) \
	print "-C link-arg=-Wl,-z,pack-relative-relocs" }')
endif

.PHONY: build
build: ## Build the static programs into target/dist/
	RUSTFLAGS="$(STATIC)" $(CARGO) build --locked --release --target $(HOST) --bin image-sharer --bin image-worker
	@# No pixel passes through the server: it is compiled to be small.
	RUSTFLAGS="$(STATIC)" CARGO_PROFILE_RELEASE_OPT_LEVEL=s $(CARGO) build --locked --release --target $(HOST) --bin image-server
	@mkdir -p $(DIST)
	@for program in $(PROGRAMS); do cp -f target/$(HOST)/release/$$program $(DIST)/; done
	@cd $(DIST) && ls -l $(PROGRAMS) | awk '{ printf "%-14s %5.2f MB\n", $$9, $$5 / 1e6 }'

.PHONY: dist
dist: build ## Pack target/dist/image-sharer-VERSION-…-linux.tar.gz and, where dpkg-deb is, a .deb
	@packaging/notices $(HOST) > target/NOTICES.txt
	@packaging/archive image-sharer-$(VERSION)-$(firstword $(subst -, ,$(HOST)))-linux
	@if command -v dpkg-deb > /dev/null; then packaging/deb $(VERSION); \
	else echo "no .deb: it needs dpkg-deb, which is Debian's and Ubuntu's" >&2; fi
	@cd $(DIST) && sha256sum *$(VERSION)*.tar.gz $$(ls *$(VERSION)*.deb 2>/dev/null) | tee SHA256SUMS

.PHONY: test-dist
test-dist: dist ## Test what `make dist` and `make install` give: files, modes, units, packages, an empty chroot
	$(PYTHON) tests/packaging/run.py

.PHONY: attack
attack: build ## Attack image-server on loopback while a good client uploads; some ten minutes (docs/reliability.md)
	$(PYTHON) tests/attack/run.py $(DIST)/image-server --out target/attack

.PHONY: attack-quick
attack-quick: build ## The same with less of each, in some two minutes
	$(PYTHON) tests/attack/run.py $(DIST)/image-server --quick --out target/attack/quick

.PHONY: install
install: ## Install what was built: PREFIX=/usr/local DESTDIR= INIT=systemd (upstart, none); starts nothing
	@packaging/setup install

.PHONY: uninstall
uninstall: ## Remove what was installed, but for changed settings and data; same variables
	@packaging/setup uninstall

# The programs of a machine image besides ours, and what it is built of.
MACHINE := target/init/$(HOST)/release
FLAVOUR ?= debian
PROGRAM ?= image-worker

.PHONY: image
image: build machine ## Build a machine image of PROGRAM (image-worker, image-server) for EC2; FLAVOUR=debian, minimal (docs/boot.md)
	init/image/build $(FLAVOUR) $(DIST)/$(PROGRAM) $(MACHINE) target/image

.PHONY: machine
machine:
	RUSTFLAGS="$(STATIC)" $(CARGO) build --locked --release --target $(HOST) \
	--manifest-path init/minimal/Cargo.toml --target-dir target/init
	@cd $(MACHINE) && ls -l image-init image-unit | awk '{ printf "%-14s %5.2f MB\n", $$9, $$5 / 1e6 }'

# The stack's name, and what its parameters are to be: make deploy PARAMETERS="MinWorkers=4 Delivery=bucket".
STACK ?= image-sharer
PARAMETERS ?=

.PHONY: publish-image
publish-image: ## Make a machine image of PROGRAM in your AWS account, of what `make image` built (EBS direct; needs the AWS CLI)
	deploy/fleet publish $(IMAGE) $(PROGRAM) $(VERSION)

.PHONY: deploy-plan
deploy-plan: ## Say what `make deploy` would change, and what a month at rest costs
	deploy/fleet plan $(STACK) $(PARAMETERS)

.PHONY: deploy
deploy: ## Create or change the fleet in your AWS account: STACK=image-sharer PARAMETERS="…" (docs/aws-walkthrough.md)
	deploy/fleet deploy $(STACK) $(PARAMETERS)

.PHONY: undeploy
undeploy: ## Delete the fleet; its images stay unless WITH=all-images
	deploy/fleet undeploy $(STACK) $(if $(WITH),--with-$(WITH))

.PHONY: test-boot
test-boot: boot-tools peers dist machine ## Boot the machine images in QEMU and let them work (installs QEMU and more by apt-get)
	PYTHON=$(PYTHON) tests/boot/run all $(MACHINE) $(PEERS)/bin/python

.PHONY: test-boot-quick
test-boot-quick: boot-tools peers dist machine ## The same, less of it: some minutes
	PYTHON=$(PYTHON) tests/boot/run quick $(MACHINE) $(PEERS)/bin/python

BOOT_TOOLS = qemu-system-x86 ovmf netcat-openbsd mtools dosfstools fdisk syslinux syslinux-common \
	systemd-boot-efi zstd squashfs-tools kmod

.PHONY: boot-tools
boot-tools:
	@missing=$$(for package in $(BOOT_TOOLS); do dpkg -s $$package > /dev/null 2>&1 || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	echo "installing by apt-get:" $$missing; \
	$$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install -qq --yes --no-install-recommends \
	-o DPkg::Lock::Timeout=300 $$missing; fi

PROMTOOL := $(shell command -v promtool || echo $(TOOLS)/prometheus/usr/bin/promtool)

.PHONY: test-metrics
test-metrics: build $(PROMTOOL) ## Check the programs' /metrics and deploy/alerts.yml with promtool (needs apt-get, or a promtool)
	$(PYTHON) tests/metrics/run.py $(DIST) $(PROMTOOL)

# Debian's, unpacked here: installed, it would start a Prometheus.
$(TOOLS)/prometheus/usr/bin/promtool:
	@mkdir -p $(TOOLS)/prometheus
	@cd $(TOOLS)/prometheus && { apt-get download --quiet prometheus || \
	{ echo "no promtool: it comes with Prometheus; put it into the PATH" >&2; exit 1; }; }
	@cd $(TOOLS)/prometheus && dpkg-deb --extract prometheus_*.deb . && rm prometheus_*.deb

.PHONY: lint
lint: ## Format, clippy and rustdoc, warnings denied
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) fmt --check --manifest-path benches/peers/Cargo.toml
	@for crate in fuzz benches/peers; do \
	$(CARGO) metadata --locked --format-version 1 --manifest-path $$crate/Cargo.toml > /dev/null || exit 1; done
	$(CARGO) clippy --locked --all-targets -- -D warnings
	$(CARGO) clippy --locked --test chaos -- -D warnings
	$(CARGO) fmt --check --manifest-path init/minimal/Cargo.toml
	$(CARGO) clippy --locked --all-targets --manifest-path init/minimal/Cargo.toml --target-dir target/init -- -D warnings
	$(CARGO) fmt --check --manifest-path deploy/capacity/Cargo.toml
	$(CARGO) clippy --locked --all-targets --manifest-path deploy/capacity/Cargo.toml --target-dir target/capacity -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --locked --no-deps --document-private-items

.PHONY: audit
audit: $(TOOLS)/bin/cargo-deny ## Check the dependencies: licences, bans, sources, advisories
	$(CARGO) fetch --locked
	$(TOOLS)/bin/cargo-deny --all-features --locked check licenses bans sources
	$(TOOLS)/bin/cargo-deny --config deny.toml --manifest-path init/minimal/Cargo.toml --locked check licenses bans sources
	$(TOOLS)/bin/cargo-deny --config deny.toml --manifest-path deploy/capacity/Cargo.toml --locked check licenses bans sources
	@if $(TOOLS)/bin/cargo-deny fetch db > $(TOOLS)/advisories.log 2>&1; \
	then $(TOOLS)/bin/cargo-deny --all-features --locked check --disable-fetch advisories; \
	else echo "advisories: NOT CHECKED: their database could not be fetched ($(TOOLS)/advisories.log)"; fi

$(TOOLS)/bin/cargo-deny:
	$(CARGO) install --locked --root $(TOOLS) cargo-deny@$(CARGO_DENY)

.PHONY: fuzz
fuzz: $(TOOLS)/bin/cargo-fuzz ## Fuzz each target for FUZZ_SECONDS, 60 if not set (docs/fuzzing.md)
	fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

.PHONY: fuzz-quick
fuzz-quick: $(TOOLS)/bin/cargo-fuzz ## The same for a few seconds each
	FUZZ_SEED=1 fuzz/run 5 $(FUZZ_TARGETS)

$(TOOLS)/bin/cargo-fuzz:
	$(CARGO) install --locked --root $(TOOLS) cargo-fuzz@$(CARGO_FUZZ)

BENCH := target/bench
BENCHMARK = $(BENCH)/build/release/peers bench --tools $(BENCH) --worker target/release/image-worker --out $(BENCH)

# A C library, and a peer where the system has what is needed to build with it (libturbojpeg0-dev).
TURBOJPEG = $(shell pkg-config --exists libturbojpeg 2> /dev/null && echo --features turbojpeg)

.PHONY: bench
bench: bench-setup ## Measure against sharp, Pillow and fast_image_resize (IMAGES=folder of your own; needs npm)
	$(BENCHMARK) --images "$(IMAGES)"

.PHONY: bench-quick
bench-quick: bench-setup ## The same with few rounds and small pictures
	$(BENCHMARK) --set quick --images "$(IMAGES)"

.PHONY: bench-setup
bench-setup: $(BENCH)/sharp/.done $(BENCH)/pillow/.done
	$(CARGO) build --locked --release --bin image-worker
	$(CARGO) build --locked --release --manifest-path benches/peers/Cargo.toml --target-dir $(BENCH)/build $(TURBOJPEG)

$(BENCH)/sharp/.done: benches/peers/setup/package.json benches/peers/setup/package-lock.json
	@mkdir -p $(@D)
	cp $^ $(@D)/
	cd $(@D) && npm ci --no-audit --no-fund
	@touch $@

$(BENCH)/pillow/.done: benches/peers/setup/requirements.txt
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --requirement $<
	@touch $@

BYTES = $(BENCH)/build/release/peers bytes
BYTES_TOOLS = libjpeg-turbo-progs libturbojpeg0-dev pkg-config pngquant pngcheck

.PHONY: bench-bytes
bench-bytes: bytes-tools bench-setup ## Measure thumbnails' bytes against mozjpeg, libjpeg-turbo, pngquant (IMAGES=folder; apt-get installs these)
	$(BYTES) check $(BENCH) $(BENCH) full
	$(BYTES) full $(BENCH) "$(IMAGES)"

.PHONY: bench-bytes-quick
bench-bytes-quick: bytes-tools bench-setup ## The same with three pictures and large thumbnails alone, in a minute
	$(BYTES) check $(BENCH) $(BENCH) quick
	$(BYTES) quick $(BENCH) "$(IMAGES)"

.PHONY: bytes-tools
bytes-tools:
	@missing=$$(for package in $(BYTES_TOOLS); do dpkg -s $$package > /dev/null 2>&1 || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	echo "installing by apt-get:" $$missing; \
	$$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install -qq --yes --no-install-recommends \
	-o DPkg::Lock::Timeout=300 $$missing; fi

.PHONY: bench-door
bench-door: build ## Measure GET /healthz against nginx, an access log each (installs nginx and wrk by apt-get)
	@missing=$$(for package in nginx-light wrk; do \
	{ command -v $${package%-light} || ls /usr/sbin/$${package%-light}; } > /dev/null 2>&1 || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	echo "installing by apt-get:" $$missing; \
	$$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install -qq --yes --no-install-recommends \
	-o DPkg::Lock::Timeout=300 $$missing; fi
	$(PYTHON) benches/door.py $(DIST)/image-server target/bench/door

.PHONY: capacity
capacity: ## Simulate the fleet under growing loads; puts tables and plots into docs/ (docs/capacity.md)
	$(CARGO) run --locked --release --manifest-path deploy/capacity/Cargo.toml --target-dir target/capacity -- docs

.PHONY: bench-pages
bench-pages: build ## Measure GET / against nginx with the same page, and uploads into a folder (needs nginx and wrk)
	$(PYTHON) benches/pages.py $(DIST)/image-server target/bench/pages

BROWSER := target/browser

.PHONY: test-browser
test-browser: $(BROWSER)/.done ## Use the pages in Chromium, headless, and look for barriers with axe-core (needs npm; apt-get installs Chromium)
	$(CARGO) build --locked --bins
	$(PYTHON) tests/browser/run.py target/debug $(BROWSER)/node_modules/axe-core/axe.min.js

.PHONY: screenshots
screenshots: $(BROWSER)/.done ## The same, and pictures of the pages for docs/screenshots/
	$(CARGO) build --locked --bins
	$(PYTHON) tests/browser/run.py target/debug $(BROWSER)/node_modules/axe-core/axe.min.js docs/screenshots

BROWSER_TOOLS = chromium chromium-driver

$(BROWSER)/.done: tests/browser/package.json tests/browser/package-lock.json
	@missing=$$(for package in $(BROWSER_TOOLS); do dpkg -s $$package > /dev/null 2>&1 || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	echo "installing by apt-get:" $$missing; \
	$$([ "$$(id -u)" = 0 ] || echo sudo) apt-get install -qq --yes --no-install-recommends \
	-o DPkg::Lock::Timeout=300 $$missing; fi
	@mkdir -p $(@D)
	cp $^ $(@D)/
	cd $(@D) && npm ci --no-audit --no-fund
	@touch $@

API := target/api
API_EXAMPLES ?= 60

.PHONY: test-api
test-api: $(API)/.done ## Compare the server with its /openapi.json by schemathesis (API_EXAMPLES=60 requests an operation)
	$(CARGO) build --locked --bins
	$(API)/bin/python tests/api/run.py target/debug $(API_EXAMPLES)

$(API)/.done: tests/api/requirements.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

PICTURES := target/pictures-venv

.PHONY: test-colour
test-colour: $(PICTURES)/.done ## Compare thumbnails with Pillow's and littlecms's (PHOTOS="files of your own"; docs/colour.md)
	$(CARGO) build --locked --example thumbnail
	$(PICTURES)/bin/python tests/pictures/colour.py target/debug/examples/thumbnail $(PHOTOS)

$(PICTURES)/.done: tests/pictures/requirements.txt
	python3 -m venv $(PICTURES)
	$(PICTURES)/bin/pip install --quiet -r tests/pictures/requirements.txt
	@touch $@

.PHONY: clean
clean: ## Remove all that was built
	$(CARGO) clean

# make run: set up, build, start everything in this checkout, send a first message, stay in the foreground.
# make test: set up, build, run every test. Both work on a bare Debian 12 machine with a Swift toolchain.

SWIFT ?= swift
export SWIFT

.PHONY: all setup build run install deb test check lint unit-test model-test system-test fuzz crash-test crash-lab package-test bench clean

all: build

setup:
	@etc/dev/setup

build: setup
	@$(SWIFT) build -c release

# Of what `make build` made, so that root needs no toolchain: DESTDIR, PREFIX.
install:
	@DESTDIR="$(DESTDIR)" PREFIX="$(or $(PREFIX),/usr/local)" etc/install

deb: build
	@etc/dev/setup package
	@etc/debian/build

run: build
	@etc/dev/run

test check:
	@etc/dev/check

lint:
	@etc/dev/lint

unit-test model-test system-test:
	@etc/dev/setup test
	@etc/dev/test build $(@:-test=)

# Longer than in `make test`: ROUNDS mutations for each corpus in Tests/FuzzCorpus. SEED=… repeats; .build/fuzz has the input that was tried last.
fuzz:
	@etc/dev/setup test
	@etc/dev/test build
	@mkdir -p .build/fuzz
	@MARTLET_FUZZ_ROUNDS=$(or $(ROUNDS),300000) MARTLET_FUZZ_LAST=$(CURDIR)/.build/fuzz $(if $(SEED),MARTLET_SEED=$(SEED)) SWIFT_BACKTRACE=enable=no \
		$(SWIFT) test --scratch-path .build/testing -c release -Xswiftc -enable-testing --disable-xctest --skip-build --filter FuzzTests

# 20 rounds of 500 messages; `make test` runs three.
crash-test:
	@etc/dev/setup test
	@CRASH_ROUNDS=20 etc/dev/test build crash

# The Debian package in a system of its own: lintian, installation, mail, upgrade with a live queue, removal, purge; under a real systemd.
package-test: build
	@etc/dev/setup package
	@cd Tests/SystemTests && python3 -W ignore::ResourceWarning package.py

# The crash laboratory: a sample in under an hour; all of it, which takes days, with FULL=1. SEED=… repeats, ROWS=FILE goes on.
crash-lab: build
	@etc/dev/setup test
	@Tests/CrashLab/lab.py $(if $(FULL),full,sample) $(if $(SEED),--seed $(SEED)) $(if $(ROWS),--rows $(ROWS))

# The neutral benchmark is a project of its own; BENCH names its folder.
bench: build
	@test -n "$(BENCH)" || { echo "make bench BENCH=FOLDER: the folder of the neutral benchmark (Benchmarks/README.md)"; exit 64; }
	@MARTLET=$(CURDIR) $(BENCH)/compare $(CURDIR)/Benchmarks/martlet.sut

clean:
	rm -rf .build

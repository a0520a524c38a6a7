# make run: set up, build, start everything in this checkout, send a first message, stay in the foreground.
# make test: set up, build, run every test. Both work on a bare Debian 12 machine with a Swift toolchain.

SWIFT ?= swift
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BUILD := $(SWIFT) build -c release

.PHONY: all setup build run test check unit-test system-test model-test crash-test bench clean

all: build

setup:
	@etc/dev/setup

build: setup
	@$(BUILD) --product mailctl
	@for program in smtpd queued locald remoted pop3d imapd sendmail; do $(BUILD) --product $$program || exit 1; done

run: build
	@etc/dev/run

test: setup
	@etc/dev/test

clean:
	rm -rf .build

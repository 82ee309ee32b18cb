# Sekisho. make [MODE=release|san|fuzz] TARGET; objects go to build/MODE/.
MODE ?= release
B := build/$(MODE)
LLHTTP := /usr/share/llhttp

PACKAGES := libuv libcares libconfig openssl libidn2 libpsl libpcre2-8 libseccomp \
	libsystemd jansson libnghttp2 zlib libbrotlidec libzstd libhs \
	sqlite3 libxml-2.0 libqpdf gumbo libarchive libjpeg libpng libwebp libtiff-4 libdeflate \
	libnftables libnetfilter_log

# What a fresh Debian 12 lacks is installed from the one list of packages,
# Build-Depends in packaging/debian/control.
ifneq ($(filter-out clean,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell packaging/depends >&2 && echo installed),installed)
$(error the packages above are missing and could not be installed)
endif
endif

MAKEFLAGS += -j$(shell nproc)
CC := gcc
WARN := -Wall -Wextra -Wshadow -Wconversion -Wcast-qual -Wvla -Wundef \
	-Wformat=2 -Wwrite-strings -Wstrict-prototypes -Wmissing-prototypes \
	-Wswitch-enum -Wimplicit-fallthrough -Werror
OPT.release := -O2 -g -fPIE -fstack-protector-strong -fcf-protection \
	-D_FORTIFY_SOURCE=2
# clang's undefined has float-cast-overflow, gcc's does not
OPT.san := -O1 -g -fsanitize=address,undefined,float-cast-overflow \
	-fno-sanitize-recover=undefined,float-cast-overflow \
	-fno-omit-frame-pointer
# which clang does not tell by itself, as gcc does
OPT.fuzz := -O1 -g -fsanitize=address,undefined,fuzzer-no-link \
	-fno-sanitize-recover=undefined -fno-omit-frame-pointer \
	-D__SANITIZE_ADDRESS__
LINK.release := -pie -Wl,-z,relro,-z,now
LINK.san := -fsanitize=address,undefined
LINK.fuzz := -fsanitize=address,undefined
ifeq ($(MODE),fuzz)
CC := clang
endif

VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog \
	2>/dev/null)
CPPFLAGS += -I. -isystem /usr/share/include/llhttp -D_GNU_SOURCE \
	-DLLHTTP_STRICT_MODE=1 -DSEKISHO_VERSION='"$(VERSION)"' \
	-include proxy/base/banned.h
# = and not :=, so that pkg-config is asked once the packages are there
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lgif -lresolv -lm
# GMime reads in tests what filters/mail wrote: another reader than ours.
TEST_CFLAGS := $(shell pkg-config --cflags-only-I gmime-3.0 2>/dev/null)
CFLAGS_ALL = -std=gnu17 $(WARN) $(OPT.$(MODE)) $(CFLAGS) $(PKG_CFLAGS) \
	$(TEST_CFLAGS)
LDFLAGS_ALL = $(LINK.$(MODE)) $(LDFLAGS)

# The programs' own files; all else is the library that tests link too.
MAINS := proxy/main.c proxy/control/sekishoctl.c proxy/probe/main.c
LIB_SRC := $(filter-out $(MAINS),$(wildcard proxy/*.c proxy/*/*.c \
	filters/*.c filters/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$B/%.o) $B/llhttp/llhttp.o $B/llhttp/api.o \
	$B/llhttp/http.o
UNIT_SRC := $(wildcard tests/unit/*.c tests/unit/*/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
# All that sekisho-probe is made of: it runs on systems of others, where libc and
# OpenSSL are.
PROBE_SRC := $(wildcard proxy/probe/*.c) proxy/isolation/probe.c \
	$(addprefix proxy/base/,address.c buf.c bytes.c err.c file.c language.c \
	macros.c signature.c)
OBJ := $(LIB_OBJ) $(MAINS:%.c=$B/%.o) $(UNIT_SRC:%.c=$B/%.o)

.PHONY: all run check unit flow cases tables lint bench bench-lists fuzz deb install install-probe clean docs
.DELETE_ON_ERROR:

all: $B/sekishod $B/sekishoctl $B/sekisho-probe

$B/sekishod: $B/proxy/main.o $B/libsekisho.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$B/sekishoctl: $B/proxy/control/sekishoctl.o $B/libsekisho.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

$B/sekisho-probe: $(PROBE_SRC:%.c=$B/%.o)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lssl -lcrypto

$B/libsekisho.a: $(LIB_OBJ)
	rm -f $@
	ar rcs $@ $^

$B/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	$(CC) -I/usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1 \
		$(OPT.$(MODE)) $(CFLAGS) -w -c -o $@ $<

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

# Every tests/unit/**/test_NAME.c has a Suite *NAME_suite(void).
SUITES := $(sort $(patsubst test_%.c,%_suite,$(filter test_%.c, \
	$(notdir $(UNIT_SRC)))))
$B/tests/unit/main.o: CPPFLAGS += -DSUITES="$(foreach s,$(SUITES),SUITE($s))"
$B/tests/unit/main.o: $(UNIT_SRC)

$B/unit: $(UNIT_SRC:%.c=$B/%.o) $B/libsekisho.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS) $$(pkg-config --libs check libbrotlienc gmime-3.0)

# The daemon that run, bench and the package use is MODE=release. Tests use the
# sanitized one, and those with real processes the released one too, for the
# sanitizers' runtime needs system calls that its sandbox forbids.
run: all
	prefecture-configs/lab/run $B

check:
	$(MAKE) MODE=san --output-sync unit
	$(MAKE) MODE=san cases
	$(MAKE) MODE=release tables
	$(MAKE) MODE=san flow
	$(MAKE) MODE=release flow

# In parts, as many at once as there are cores.
UNIT_PARTS := $(addprefix unit-,1 2 3 4 5 6 7 8)
unit: $(UNIT_PARTS)
.PHONY: $(UNIT_PARTS)
$(UNIT_PARTS): unit-%: $B/unit
	$B/unit $*/8

cases: $B/sekishoctl
	tests/cases $B

flow: all
	tests/flow/rspamd_get build/rspamd
	tests/flow/run $B

# The files in docs that are made from tables are what the tables say.
tables: all
	docs/generate $B --check

lint:
	tests/lint/all

bench: all
	bench/run $B

bench-lists: all
	bench/lists $B

# make fuzz T=60: every target for T seconds.
T ?= 60
fuzz:
	$(MAKE) MODE=fuzz fuzz-targets
	tests/fuzz/run build/fuzz $T
.PHONY: fuzz-targets
fuzz-targets: $(FUZZ_SRC:tests/fuzz/%.c=$B/%)
$B/fuzz_%: $B/tests/fuzz/fuzz_%.o $B/libsekisho.a
	$(CC) -fsanitize=address,undefined,fuzzer -o $@ $^ $(PKG_LIBS)

# What needs root and a disk of its own: tests/power/run BUILD TIMES.
$B/power_%: $B/tests/power/%.o $B/libsekisho.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(PKG_LIBS)

deb:
	packaging/build

# For who links what is tried beside the product: bench/run.
.PHONY: libs
libs:
	@echo $(PKG_CFLAGS) $(PKG_LIBS)

DESTDIR ?=
install: all
	packaging/install $B "$(DESTDIR)"

# On a system of a My Number network: nothing but the probe.
install-probe: $B/sekisho-probe
	packaging/install_probe $B "$(DESTDIR)"

# docs/SETTINGS*.md and docs/EVENTS*.md come from the tables in the code,
# docs/CONFORMANCE.md from that of its test.
docs: all
	docs/generate $B

clean:
	rm -rf build

-include $(OBJ:.o=.d) $(FUZZ_SRC:%.c=$B/%.d)

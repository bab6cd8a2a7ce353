# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Wire structs, their field tables, property and error tables, made from the
# *.tsv files beside this one.

WIRE_DIR = mapi-store/wire
GEN_NAMES = mapi-errors mapi-props mapi-rops mapi-http
GEN_HDRS = $(patsubst %,$(B)/gen/%.h,$(GEN_NAMES)) $(B)/gen/mapi-enums.h
GEN_SRCS = $(patsubst %,$(B)/gen/%.c,$(GEN_NAMES))
GEN_TSVS = $(wildcard $(WIRE_DIR)/*.tsv)

# One run makes everything; the stamp keeps parallel makes from running it
# several times.
$(GEN_HDRS) $(GEN_SRCS): $(B)/gen/.stamp ;
$(B)/gen/.stamp: $(WIRE_DIR)/gen-wire.py $(GEN_TSVS)
	@mkdir -p $(@D)
	$(PYTHON) $(WIRE_DIR)/gen-wire.py $(WIRE_DIR) $(@D)
	@touch $@

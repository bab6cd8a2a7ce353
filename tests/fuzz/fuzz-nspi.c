/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Bodies of the address book's requests: the first byte says which, the rest is
   the body. */

#include "lib.h"
#include "../unit/nspi-fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nspi_fixture fix;

static const char *const types[] = {
#define NSPI_TYPE(type, name) type,
	NSPI_HANDLERS(NSPI_TYPE)
};

static void fuzz_deinit(void)
{
	nspi_fixture_deinit(&fix);
	lib_deinit();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool initialized = FALSE;
	struct nspi_result result;
	void *resp;

	if (!initialized) {
		initialized = TRUE;
		lib_init();
		nspi_fixture_init(&fix);
		atexit(fuzz_deinit);
	}
	if (size == 0)
		return 0;
	talloc_free(fix.ctx.mem);
	fix.ctx.mem = talloc_new(NULL);
	/* without a snapshot now and then */
	fix.ctx.snapshot = (data[0] & 0x80) != 0 ? NULL : fix.snapshot;
	fix.bound = TRUE;
	T_BEGIN {
		const char *type = types[(data[0] & 0x7f) % N_ELEMENTS(types)];
		const struct mapihttp_codec *codec =
			mapihttp_codec_find(MAPIHTTP_NSPI, type);

		nspi_request(&fix.ctx, type, data + 1, size - 1, &fix.bound,
			     &result);
		/* What has an answer can be read by clients. */
		if (result.code == NSPI_RESPONSE_SUCCESS) {
			resp = talloc_zero_size(fix.ctx.mem,
					mapihttp_response_size(codec));
			if (mapihttp_decode_response(fix.ctx.mem, codec,
					result.body, result.body_size,
					resp) != EC_NONE)
				i_panic("%s: invalid response", type);
		}
	} T_END;
	return 0;
}

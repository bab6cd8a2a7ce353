/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Damage to a snapshot file. The first byte says how the file is used, and
   whether its header gets a checksum that fits, as none would be read beyond
   it otherwise; then follow patches: three bytes with a place in the file, one
   that says what is written there, and a value. */

#include "lib.h"
#include "crc32.h"
#include "read-full.h"
#include "write-full.h"
#include "../unit/nspi-fixture.h"
#include "../unit/snapshot-use.h"
#include "nspi-props.h"
#include "snapshot-format.h"

#include <fcntl.h>
#include <sys/stat.h>

#define FUZZ_CHECKSUM 0x01
#define FUZZ_BUILD 0x02
#define FUZZ_NSPI 0x04

#define PATCH_SIZE 5
/* values of a patch's fourth byte */
enum fuzz_patch {
	FUZZ_PATCH_BYTE,
	/* a 32-bit number, small or large */
	FUZZ_PATCH_UINT32,
	FUZZ_PATCH_HUGE,
	/* the file ends here */
	FUZZ_PATCH_END,
	/* in the header */
	FUZZ_PATCH_HEADER,
	FUZZ_PATCH_COUNT
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nspi_fixture fix;
/* the undamaged file and the one that is made of it */
static unsigned char *original, *damaged;
static size_t original_size;
static char path[sizeof(fix.path) + 16];

static void fuzz_deinit(void)
{
	i_unlink_if_exists(path);
	nspi_fixture_deinit(&fix);
	i_free(original);
	i_free(damaged);
	lib_deinit();
}

/* Opening a damaged file for writing is logged. */
static void ATTR_FORMAT(2, 0)
fuzz_log(const struct failure_context *ctx ATTR_UNUSED,
	 const char *format ATTR_UNUSED, va_list args ATTR_UNUSED)
{
}

static void fuzz_init(void)
{
	struct stat st;
	int fd;

	lib_init();
	i_set_error_handler(fuzz_log);
	nspi_fixture_init(&fix);
	i_snprintf(path, sizeof(path), "%s.damaged", fix.path);
	fd = open(fix.path, O_RDONLY);
	if (fd == -1 || fstat(fd, &st) < 0)
		i_fatal("open(%s) failed: %m", fix.path);
	original_size = st.st_size;
	original = i_malloc(original_size);
	damaged = i_malloc(original_size);
	if (read_full(fd, original, original_size) <= 0)
		i_fatal("read(%s) failed: %m", fix.path);
	i_close_fd(&fd);
	atexit(fuzz_deinit);
}

static size_t fuzz_damage(const uint8_t *data, size_t size, bool checksum)
{
	struct snapshot_header *header = (void *)damaged;
	size_t damaged_size = original_size, at;
	uint32_t value;

	memcpy(damaged, original, original_size);
	for (; size >= PATCH_SIZE; data += PATCH_SIZE, size -= PATCH_SIZE) {
		at = (data[0] << 16 | data[1] << 8 | data[2]) % original_size;
		switch (data[3] % FUZZ_PATCH_COUNT) {
		case FUZZ_PATCH_HEADER:
			at %= sizeof(*header);
			/* fall through */
		case FUZZ_PATCH_BYTE:
			damaged[at] = data[4];
			break;
		case FUZZ_PATCH_UINT32:
		case FUZZ_PATCH_HUGE:
			at = at / 4 * 4;
			value = data[3] % FUZZ_PATCH_COUNT == FUZZ_PATCH_HUGE ?
				0U - data[4] : data[4];
			if (at + sizeof(value) <= original_size)
				memcpy(damaged + at, &value, sizeof(value));
			break;
		case FUZZ_PATCH_END:
			damaged_size = at;
			if (checksum)
				header->file_size = at;
			break;
		}
	}
	if (checksum) {
		header->crc = 0;
		header->crc = crc32_data(header, sizeof(*header));
	}
	return damaged_size;
}

static void fuzz_write(size_t size)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	if (fd == -1 || write_full(fd, damaged, size) < 0)
		i_fatal("write(%s) failed: %m", path);
	i_close_fd(&fd);
}

/* What the address book does with it */
static void fuzz_nspi(struct snapshot *snapshot)
{
	static const char *const names[] = {
		"user 0", "=Everybody", "j\xc3\xb6rg", "carl@example.net", "e",
	};
	struct nspi_getter getter = { .ctx = &fix.ctx, .code_page = 1252 };
	struct snapshot_object object;
	struct mapi_value value;
	uint32_t mids[8], mid, *tags, count;

	fix.ctx.snapshot = snapshot;
	for (mid = 0; mid < SNAPSHOT_MID_FIRST + FIXTURE_USERS + 16; mid++) {
		talloc_free(fix.ctx.mem);
		fix.ctx.mem = talloc_new(NULL);
		if (!nspi_object_get(&fix.ctx, mid, &object))
			continue;
		tags = nspi_property_list(&getter, &object, FALSE,
					  mid % 2 == 0 ? PTYP_STRING :
					  PTYP_STRING8, &count);
		for (uint32_t i = 0; i < count; i++)
			nspi_property_get(&getter, &object, tags[i], &value);
	}
	for (unsigned int i = 0; i < N_ELEMENTS(names); i++)
		(void)snapshot_resolve(snapshot, names[i], 0, mids, 8);
	fix.ctx.snapshot = fix.snapshot;
}

/* mapi-directory begins with the file that there is. */
static void fuzz_build(void)
{
	static const char *const locales[] = { "en", NULL };
	static const uint32_t anr_tags[] = { PIDTAG_TITLE };
	struct snapshot_settings set = {
		.path = path, .locales = locales, .anr_tags = anr_tags,
		.anr_tags_count = N_ELEMENTS(anr_tags),
	};
	struct directory_object object = {
		.kind = DIRECTORY_CONTACT, .dn = "cn=new,dc=example",
		.display_name = "New", .legacy_dn = FIXTURE_DN "new",
		.id = { 77 },
	};
	struct snapshot_builder *builder = snapshot_builder_init(&set);
	struct snapshot *snapshot;
	const char *error;

	snapshot_builder_update(builder, &object);
	if (snapshot_builder_write(builder, NULL, 0, &error) < 0)
		i_fatal("%s", error);
	snapshot_builder_deinit(&builder);
	if (snapshot_open(path, &snapshot, &error) <= 0)
		i_panic("what has been written can't be read: %s", error);
	if (snapshot_find_id(snapshot, object.id) == 0)
		i_panic("what has been written isn't there");
	snapshot_use_all(snapshot);
	snapshot_unref(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool initialized = FALSE;
	struct snapshot *snapshot;
	const char *error;

	if (!initialized) {
		initialized = TRUE;
		fuzz_init();
	}
	if (size == 0)
		return 0;
	fuzz_write(fuzz_damage(data + 1, size - 1,
			       (data[0] & FUZZ_CHECKSUM) != 0));
	T_BEGIN {
		if (snapshot_open(path, &snapshot, &error) > 0) {
			snapshot_use_all(snapshot);
			if ((data[0] & FUZZ_NSPI) != 0)
				fuzz_nspi(snapshot);
			snapshot_unref(&snapshot);
		}
		if ((data[0] & FUZZ_BUILD) != 0)
			fuzz_build();
	} T_END;
	return 0;
}

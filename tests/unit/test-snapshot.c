/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Snapshots of the directory: random objects come, change and go; after each
   write everything is as a simple model says. And damaged files do no harm. */

#include "lib.h"
#include "array.h"
#include "hash.h"
#include "str.h"
#include "strfuncs.h"
#include "mapi-props.h"
#include "snapshot.h"
#include "snapshot-build.h"
#include "snapshot-format.h"
#include "snapshot-use.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <cmocka.h>

#define MAX_OBJECTS 60

struct model {
	pool_t pool;
	struct directory_object objects[MAX_OBJECTS];
	bool used[MAX_OBJECTS];
	uint32_t mids[MAX_OBJECTS];
};

static const char *const locales[] = { "en", "sv", NULL };
static const uint32_t anr_tags[] = { PIDTAG_GIVEN_NAME, PIDTAG_SURNAME };
static char path[1024];
static unsigned int seed;

static unsigned int rnd(unsigned int max)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % max;
}

static struct snapshot_builder *builder_new(void)
{
	struct snapshot_settings set;

	i_zero(&set);
	set.path = path;
	set.locales = locales;
	set.anr_tags = anr_tags;
	set.anr_tags_count = N_ELEMENTS(anr_tags);
	return snapshot_builder_init(&set);
}

static const char *const given[] = {
	"Åsa", "Bo", "Jürgen", "Zoë", "anna", "Émile", "Øyvind", "Mary Ann",
};
static const char *const surnames[] = {
	"Öberg", "Müller", "O'Neill", "van der Berg", "Smith", "Ångström",
};
static const char *const units[] = {
	"ou=a,dc=x", "ou=b,ou=a,dc=x", "ou=c,ou=b,ou=a,dc=x", "dc=x",
};

static void
object_random(struct model *model, unsigned int i,
	      struct directory_object *object)
{
	pool_t pool = model->pool;
	struct mapi_property *props = p_new(pool, struct mapi_property, 4);
	struct directory_link *links = p_new(pool, struct directory_link, 2);
	const char **addresses = p_new(pool, const char *, 2);
	const char *g = given[rnd(N_ELEMENTS(given))];
	const char *s = surnames[rnd(N_ELEMENTS(surnames))];

	i_zero(object);
	object->id[0] = i + 1;
	object->kind = i < 3 ? DIRECTORY_CONTAINER : (enum directory_kind)
		rnd(DIRECTORY_CONTAINER);
	if (i < 3) {
		object->dn = units[i];
		object->display_name = p_strdup_printf(pool, "Unit %u", 9 - i);
		object->legacy_dn = p_strdup_printf(pool, "/o=x/cn=unit%u", i);
		return;
	}
	object->hide = rnd(4) == 0 ? rnd(8) : 0;
	object->dn = p_strdup_printf(pool, "uid=u%u,%s", i,
				     units[rnd(N_ELEMENTS(units))]);
	object->display_name = p_strdup_printf(pool, "%s %s %u", g, s, i);
	if (object->kind == DIRECTORY_USER)
		object->username = p_strdup_printf(pool, "User%u", i);
	addresses[0] = p_strdup_printf(pool, "U%u@example.org", i);
	addresses[1] = p_strdup_printf(pool, "alias%u.x@example.com", i);
	object->addresses = addresses;
	object->addresses_count = rnd(3);
	object->address = object->addresses_count == 0 ? NULL : addresses[0];
	object->legacy_dn = p_strdup_printf(pool, "/o=X/cn=Recipients/cn=u%u",
					    i);
	props[0].tag = PIDTAG_GIVEN_NAME;
	props[0].value = mapi_value_str(g);
	props[1].tag = PIDTAG_SURNAME;
	props[1].value = mapi_value_str(s);
	props[2].tag = PIDTAG_THUMBNAIL_PHOTO;
	props[2].value = mapi_value_bin(p_malloc(pool, 3000), rnd(3000));
	object->props = props;
	object->props_count = rnd(4);
	for (unsigned int j = 0; j < 2; j++) {
		links[j].tag = j == 0 ? PIDTAG_ADDRESS_BOOK_MEMBER :
			PIDTAG_ADDRESS_BOOK_MANAGER;
		/* of somebody or nobody */
		links[j].dn = p_strdup_printf(pool, "uid=u%u,%s",
			rnd(MAX_OBJECTS + 10),
			units[rnd(N_ELEMENTS(units))]);
	}
	object->links = links;
	object->links_count = rnd(3);
}

static void
check_object(const struct snapshot *snap, const struct model *model,
	     unsigned int i, TALLOC_CTX *mem)
{
	const struct directory_object *want = &model->objects[i];
	struct snapshot_object got;
	struct mapi_value value;
	const uint32_t *mids;
	unsigned int j, k, count, expected;
	uint32_t mid = snapshot_find_id(snap, want->id);

	assert_int_not_equal(mid, 0);
	if (model->mids[i] != 0)
		assert_int_equal(mid, model->mids[i]);
	assert_true(snapshot_get(snap, mid, &got));
	assert_int_equal(got.kind, want->kind);
	assert_int_equal(got.hide, want->hide);
	assert_string_equal(got.dn, want->dn);
	assert_string_equal(got.display_name, want->display_name);
	assert_string_equal(got.legacy_dn, want->legacy_dn);
	if (want->username == NULL)
		assert_null(got.username);
	else {
		assert_string_equal(got.username, want->username);
		assert_int_equal(snapshot_find_username(snap,
			t_str_lcase(want->username)), mid);
	}
	assert_int_equal(snapshot_find_dn(snap, want->dn), mid);
	assert_int_equal(snapshot_find_legacy_dn(snap,
				t_str_ucase(want->legacy_dn)), mid);
	assert_int_equal(got.addresses_count, want->addresses_count);
	for (j = 0; j < got.addresses_count; j++) {
		assert_string_equal(snapshot_object_address(&got, j),
				    want->addresses[j]);
		assert_int_equal(snapshot_find_address(snap,
				t_str_ucase(want->addresses[j])), mid);
	}
	assert_int_equal(got.props_count, want->props_count);
	for (j = 0; j < want->props_count; j++) {
		assert_true(snapshot_object_property(&got, want->props[j].tag,
						     mem, &value));
		assert_true(mapi_value_equal(&value, &want->props[j].value));
	}
	assert_false(snapshot_object_property(&got, PIDTAG_TITLE, mem,
					      &value));
	/* links to those who exist; and the other way round */
	for (j = expected = 0; j < want->links_count; j++) {
		for (k = 0; k < MAX_OBJECTS; k++) {
			if (!model->used[k] ||
			    strcmp(model->objects[k].dn,
				   want->links[j].dn) != 0)
				continue;
			expected++;
			count = snapshot_object_links(&got,
				want->links[j].tag, mem, &mids);
			assert_true(count > 0);
			struct snapshot_object other;
			const uint32_t *back;
			bool found = FALSE;

			assert_true(snapshot_get(snap, mids[0], &other));
			count = snapshot_object_backlinks(&other,
				want->links[j].tag, mem, &back);
			while (count-- > 0)
				found = found || back[count] == mid;
			assert_true(found);
		}
	}
	count = snapshot_object_links(&got, PIDTAG_ADDRESS_BOOK_MEMBER, mem,
				      &mids) +
		snapshot_object_links(&got, PIDTAG_ADDRESS_BOOK_MANAGER, mem,
				      &mids);
	assert_int_equal(count, expected);
}

static bool
in_list(const struct model *model, unsigned int i,
	const struct snapshot_list *list, const struct snapshot_object *lobj)
{
	const struct directory_object *o = &model->objects[i];
	size_t len, dlen;

	if (!model->used[i] || o->kind == DIRECTORY_CONTAINER)
		return FALSE;
	dlen = strlen(o->dn);
	if (list->mid == SNAPSHOT_GAL)
		return (o->hide & DIRECTORY_HIDE_FROM_GAL) == 0;
	if ((o->hide & DIRECTORY_HIDE_FROM_LISTS) != 0)
		return FALSE;
	if (strcmp(list->name, "All Users") == 0)
		return o->kind == DIRECTORY_USER;
	if (strcmp(list->name, "All Groups") == 0)
		return o->kind == DIRECTORY_GROUP;
	if (strcmp(list->name, "All Contacts") == 0)
		return o->kind == DIRECTORY_CONTACT;
	if (strcmp(list->name, "All Rooms") == 0)
		return o->kind == DIRECTORY_ROOM ||
			o->kind == DIRECTORY_EQUIPMENT;
	len = strlen(lobj->dn);
	return dlen > len && strcmp(o->dn + dlen - len, lobj->dn) == 0 &&
		o->dn[dlen - len - 1] == ',';
}

static void
check_table(const struct snapshot *snap, const struct model *model,
	    const struct snapshot_list *list, uint32_t lcid,
	    const char *locale)
{
	struct UCollator *coll = snapshot_collator_open(locale);
	struct snapshot_table table;
	struct snapshot_object obj, lobj;
	const char *prev = NULL;
	unsigned int i, expected = 0;
	uint32_t idx;

	i_zero(&lobj);
	if (list->mid != SNAPSHOT_GAL)
		assert_true(snapshot_get(snap, list->mid, &lobj));
	assert_true(snapshot_table_open(snap, list->mid, lcid, &table));
	assert_int_equal(table.count, list->count);
	for (i = 0; i < MAX_OBJECTS; i++) {
		bool in = in_list(model, i, list, &lobj);

		if (!model->used[i])
			continue;
		expected += in ? 1 : 0;
		assert_int_equal(snapshot_table_find(&table,
			snapshot_find_id(snap, model->objects[i].id), &idx),
			in);
		if (in) {
			assert_int_equal(snapshot_table_mid(&table, idx),
				snapshot_find_id(snap, model->objects[i].id));
		}
	}
	assert_int_equal(table.count, expected);
	for (i = 0; i < table.count; i++) {
		assert_true(snapshot_get(snap, snapshot_table_mid(&table, i),
					 &obj));
		if (prev != NULL) {
			assert_true(snapshot_collate(coll, prev,
						     obj.display_name) <= 0);
		}
		prev = obj.display_name;
		idx = snapshot_table_seek(&table, obj.display_name);
		assert_true(idx <= i);
		assert_true(snapshot_get(snap, snapshot_table_mid(&table, idx),
					 &obj));
		assert_int_equal(snapshot_collate(coll, obj.display_name,
						  prev), 0);
	}
	assert_int_equal(snapshot_table_seek(&table, ""), 0);
	/* Chinese comes after all that is written with Latin letters */
	assert_int_equal(snapshot_table_seek(&table, "\xe9\xbe\x8d"),
			 table.count);
	snapshot_collator_close(&coll);
}

static void check_resolve(const struct snapshot *snap,
			  const struct model *model)
{
	uint32_t mids[MAX_OBJECTS];
	unsigned int i, j, count;

	for (i = 3; i < MAX_OBJECTS; i++) {
		const struct directory_object *o = &model->objects[i];
		uint32_t mid;

		if (!model->used[i])
			continue;
		mid = snapshot_find_id(snap, o->id);
		count = snapshot_resolve(snap, o->display_name, 0, mids,
					 MAX_OBJECTS);
		assert_int_equal(count, 1);
		assert_int_equal(mids[0], mid);
		/* without accents, in capitals, the last word first */
		const char *words = snapshot_fold(o->display_name);
		const char *last = strrchr(words, ' ');
		words = t_strconcat(last + 1, "  ",
				    t_str_ucase(t_strdup_until(words, last)),
				    NULL);
		count = snapshot_resolve(snap, words, 0, mids, MAX_OBJECTS);
		assert_true(count >= 1);
		for (j = 0; j < count && mids[j] != mid; j++) ;
		assert_true(j < count);
		/* an address finds even those who are hidden */
		if (o->address != NULL) {
			count = snapshot_resolve(snap,
				t_strconcat("=SMTP:", o->address, NULL), 7,
				mids, 2);
			assert_int_equal(count, 1);
			assert_int_equal(mids[0], mid);
		}
		if ((o->hide & DIRECTORY_HIDE_FROM_RESOLVE) != 0) {
			/* may be others of whom it's the beginning */
			count = snapshot_resolve(snap, o->display_name,
				DIRECTORY_HIDE_FROM_RESOLVE, mids,
				MAX_OBJECTS);
			for (j = 0; j < count; j++)
				assert_int_not_equal(mids[j], mid);
		}
	}
	assert_int_equal(snapshot_resolve(snap, "nobody at all", 0, mids, 2),
			 0);
	assert_int_equal(snapshot_resolve(snap, "", 0, mids, 2), 0);
	assert_int_equal(snapshot_resolve(snap, "=", 0, mids, 2), 0);
	assert_int_equal(snapshot_resolve(snap, "SMTP:", 0, mids, 2), 0);
}

static void check_snapshot(struct snapshot *snap, struct model *model)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct snapshot_list list;
	unsigned int i, count = 0;

	for (i = 0; i < MAX_OBJECTS; i++) {
		if (!model->used[i]) {
			assert_int_equal(snapshot_find_id(snap,
				model->objects[i].id), 0);
			continue;
		}
		if (model->objects[i].kind != DIRECTORY_CONTAINER)
			count++;
		check_object(snap, model, i, mem);
		model->mids[i] = snapshot_find_id(snap, model->objects[i].id);
	}
	assert_int_equal(snapshot_info(snap)->objects_count, count);
	snapshot_list_get(snap, 0, &list);
	assert_int_equal(list.mid, SNAPSHOT_GAL);
	assert_string_equal(list.name, "");
	for (i = 0; i < snapshot_lists_count(snap); i++) {
		snapshot_list_get(snap, i, &list);
		/* English (US); Swedish, which has å, ä, ö after z; neither */
		check_table(snap, model, &list, 0x0409, "en");
		check_table(snap, model, &list, 0x041d, "sv");
		check_table(snap, model, &list, 0x0407, "en");
	}
	check_resolve(snap, model);
	talloc_free(mem);
}

static void write_and_check(struct snapshot_builder *builder,
			    struct model *model)
{
	struct snapshot *snap;
	const char *error;

	assert_int_equal(snapshot_builder_write(builder, "cookie", 6, &error),
			 0);
	assert_int_equal(snapshot_builder_changes(builder), 0);
	assert_int_equal(snapshot_open(path, &snap, &error), 1);
	assert_int_equal(snapshot_info(snap)->cookie_size, 6);
	assert_memory_equal(snapshot_info(snap)->cookie, "cookie", 6);
	assert_false(snapshot_is_stale(snap));
	check_snapshot(snap, model);
	snapshot_unref(&snap);
}

static void test_model(void **state)
{
	struct snapshot_builder *builder;
	struct model model;
	struct mapi_guid lineage;
	unsigned int round, n, i;

	i_zero(&model);
	model.pool = pool_alloconly_create("model", 65536);
	i_unlink_if_exists(path);
	seed = 1;
	builder = builder_new();
	write_and_check(builder, &model);
	lineage = snapshot_info(snapshot_builder_current(builder))->lineage;
	for (round = 0; round < 40; round++) T_BEGIN {
		for (n = rnd(20); n > 0; n--) {
			i = rnd(MAX_OBJECTS);
			if (model.used[i] && rnd(3) == 0) {
				snapshot_builder_remove(builder,
							model.objects[i].id);
				model.used[i] = FALSE;
				/* it gets another if it comes again */
				model.mids[i] = 0;
				continue;
			}
			object_random(&model, i, &model.objects[i]);
			model.used[i] = TRUE;
			snapshot_builder_update(builder, &model.objects[i]);
		}
		write_and_check(builder, &model);
		if (rnd(5) == 0) {
			/* a new process */
			snapshot_builder_deinit(&builder);
			builder = builder_new();
			assert_int_equal(snapshot_builder_changes(builder), 0);
		}
	} T_END;
	assert_memory_equal(&lineage,
		&snapshot_info(snapshot_builder_current(builder))->lineage,
		sizeof(lineage));

	/* a refresh removes what it doesn't mention */
	snapshot_builder_refresh_begin(builder);
	for (i = 0; i < MAX_OBJECTS; i++) {
		if (model.used[i] && i % 2 == 0)
			snapshot_builder_update(builder, &model.objects[i]);
		else
			model.used[i] = FALSE;
	}
	snapshot_builder_refresh_end(builder);
	write_and_check(builder, &model);
	/* one that fails doesn't */
	snapshot_builder_refresh_begin(builder);
	snapshot_builder_refresh_abort(builder);
	assert_int_equal(snapshot_builder_changes(builder), 0);
	write_and_check(builder, &model);
	snapshot_builder_deinit(&builder);
	pool_unref(&model.pool);
}

/* MIds of objects that are gone aren't given to others. */
static void test_mids_not_reused(void **state)
{
	struct snapshot_builder *builder;
	struct model model;
	const char *error;
	uint32_t first, second;

	i_zero(&model);
	model.pool = pool_alloconly_create("model", 65536);
	i_unlink_if_exists(path);
	builder = builder_new();
	object_random(&model, 10, &model.objects[0]);
	snapshot_builder_update(builder, &model.objects[0]);
	assert_int_equal(snapshot_builder_write(builder, "", 0, &error), 0);
	first = snapshot_find_id(snapshot_builder_current(builder),
				 model.objects[0].id);
	snapshot_builder_remove(builder, model.objects[0].id);
	assert_int_equal(snapshot_builder_write(builder, "", 0, &error), 0);
	snapshot_builder_deinit(&builder);
	builder = builder_new();
	object_random(&model, 11, &model.objects[1]);
	snapshot_builder_update(builder, &model.objects[1]);
	assert_int_equal(snapshot_builder_write(builder, "", 0, &error), 0);
	second = snapshot_find_id(snapshot_builder_current(builder),
				  model.objects[1].id);
	assert_true(second > first);
	snapshot_builder_deinit(&builder);
	pool_unref(&model.pool);
}

/* What can't be written leaves what there is, and is written later. */
static void test_write_fails(void **state)
{
	struct snapshot_builder *builder;
	struct snapshot *snap;
	struct model model;
	const char *error, *tmp = t_strconcat(path, ".tmp", NULL);

	i_zero(&model);
	model.pool = pool_alloconly_create("model", 65536);
	i_unlink_if_exists(path);
	builder = builder_new();
	object_random(&model, 10, &model.objects[0]);
	model.used[0] = TRUE;
	write_and_check(builder, &(struct model){ .pool = model.pool });
	snapshot_builder_update(builder, &model.objects[0]);
	assert_int_equal(mkdir(tmp, 0700), 0);
	assert_int_equal(snapshot_builder_write(builder, "new", 3, &error), -1);
	assert_non_null(strstr(error, tmp));
	assert_int_equal(snapshot_builder_changes(builder), 1);
	assert_int_equal(snapshot_open(path, &snap, &error), 1);
	assert_int_equal(snapshot_info(snap)->objects_count, 0);
	assert_int_equal(rmdir(tmp), 0);
	assert_int_equal(snapshot_builder_write(builder, "new", 3, &error), 0);
	assert_true(snapshot_is_stale(snap));
	snapshot_unref(&snap);
	assert_int_equal(snapshot_open(path, &snap, &error), 1);
	assert_int_equal(snapshot_info(snap)->objects_count, 1);
	snapshot_unref(&snap);
	snapshot_builder_deinit(&builder);
	pool_unref(&model.pool);
}

/* --- damaged files --------------------------------------------------------------- */

static void write_raw(const unsigned char *data, size_t size)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, data, size), size);
	i_close_fd(&fd);
}

static void ATTR_FORMAT(2, 0)
log_nothing(const struct failure_context *ctx ATTR_UNUSED,
	    const char *format ATTR_UNUSED, va_list args ATTR_UNUSED)
{
}

/* A writer that finds a damaged file takes no harm from it, either. */
static void build_on_damaged(struct model *model)
{
	struct snapshot_builder *builder;
	struct snapshot *snap;
	const char *error;

	i_set_error_handler(log_nothing);
	builder = builder_new();
	i_set_error_handler(default_error_handler);
	snapshot_builder_update(builder, &model->objects[29]);
	assert_int_equal(snapshot_builder_write(builder, "c", 1, &error), 0);
	snapshot_builder_deinit(&builder);
	assert_int_equal(snapshot_open(path, &snap, &error), 1);
	assert_int_not_equal(snapshot_find_id(snap, model->objects[29].id), 0);
	snapshot_use_all(snap);
	snapshot_unref(&snap);
}

/* An id that is the address book's own can't be taken. */
static void test_builtin_id(void **state)
{
	struct snapshot_builder *builder;
	struct directory_object object;
	struct snapshot_list before, after;
	struct snapshot *snap;
	struct snapshot_object list;
	const char *error;

	i_unlink_if_exists(path);
	builder = builder_new();
	assert_int_equal(snapshot_builder_write(builder, "c", 1, &error), 0);
	snap = snapshot_builder_current(builder);
	snapshot_list_get(snap, 1, &before);
	assert_true(snapshot_get(snap, before.mid, &list));
	i_zero(&object);
	memcpy(object.id, list.id, sizeof(object.id));
	object.kind = DIRECTORY_USER;
	object.dn = "uid=evil,dc=x";
	object.display_name = "Evil";
	object.legacy_dn = "/o=x/cn=evil";
	snapshot_builder_update(builder, &object);
	assert_int_equal(snapshot_builder_write(builder, "c", 1, &error), 0);
	snap = snapshot_builder_current(builder);
	snapshot_list_get(snap, 1, &after);
	assert_string_equal(after.name, "All Users");
	assert_int_equal(after.mid, before.mid);
	assert_int_equal(snapshot_find_dn(snap, object.dn), 0);
	snapshot_builder_deinit(&builder);
}

static void test_damaged(void **state)
{
	struct snapshot_builder *builder;
	struct snapshot *snap;
	struct model model;
	const char *error;
	unsigned char *data, *copy;
	unsigned int i, j;
	struct stat st;
	int fd, ret;

	i_zero(&model);
	model.pool = pool_alloconly_create("model", 65536);
	i_unlink_if_exists(path);
	assert_int_equal(snapshot_open(path, &snap, &error), 0);
	builder = builder_new();
	seed = 7;
	for (i = 0; i < 30; i++) {
		object_random(&model, i, &model.objects[i]);
		snapshot_builder_update(builder, &model.objects[i]);
	}
	assert_int_equal(snapshot_builder_write(builder, "c", 1, &error), 0);
	snapshot_builder_deinit(&builder);

	fd = open(path, O_RDONLY);
	assert_int_equal(fstat(fd, &st), 0);
	data = i_malloc(st.st_size);
	copy = i_malloc(st.st_size);
	assert_int_equal(read(fd, data, st.st_size), st.st_size);
	i_close_fd(&fd);
	for (i = 0; i < 1500; i++) T_BEGIN {
		memcpy(copy, data, st.st_size);
		size_t size = st.st_size;

		/* a third beside the header's checksum */
		for (j = 0; j < 1 + i % 8; j++) {
			size_t at = i % 3 == 0 ? rnd(size) :
				sizeof(struct snapshot_header) +
				(rnd(65536) * 65536U + rnd(65536)) %
				(size - sizeof(struct snapshot_header));
			copy[at] = rnd(2) == 0 ? rnd(256) : 0xff;
		}
		if (i % 10 == 0)
			size = rnd(size);
		write_raw(copy, size);
		ret = snapshot_open(path, &snap, &error);
		assert_int_not_equal(ret, 0);
		if (ret > 0) {
			snapshot_use_all(snap);
			snapshot_unref(&snap);
		} else {
			assert_true(strlen(error) > strlen(path));
		}
		if (i % 4 == 1)
			build_on_damaged(&model);
	} T_END;
	i_free(data);
	i_free(copy);

	/* something else: a new lineage is begun */
	write_raw((const unsigned char *)"hello", 5);
	builder = builder_new();
	assert_null(snapshot_builder_current(builder));
	assert_int_equal(snapshot_builder_write(builder, "c", 1, &error), 0);
	snapshot_builder_deinit(&builder);
	pool_unref(&model.pool);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_mids_not_reused),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_builtin_id),
		cmocka_unit_test(test_damaged),
	};
	char dir[] = "/tmp/test-snapshot-XXXXXX";
	int ret;

	lib_init();
	if (mkdtemp(dir) == NULL)
		return 1;
	i_snprintf(path, sizeof(path), "%s/snapshot", dir);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	i_unlink_if_exists(path);
	(void)rmdir(dir);
	lib_deinit();
	return ret;
}

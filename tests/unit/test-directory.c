/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From LDIF to objects of the address book. */

#include "lib.h"
#include "str.h"
#include "mapi-props.h"
#include "directory-map.h"
#include "source-ldif.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct result {
	const struct directory_map *map;
	pool_t pool;
	struct directory_object objects[16];
	int rets[16];
	unsigned int count;
};

static void add_entry(void *context, const struct directory_entry *entry)
{
	struct result *result = context;
	const char *error = NULL;

	assert_true(result->count < N_ELEMENTS(result->objects));
	result->rets[result->count] = directory_map_entry(result->map, entry,
		result->pool, &result->objects[result->count], &error);
	assert_int_equal(result->rets[result->count] < 0, error != NULL);
	result->count++;
}

static struct directory_map *map_new(const char *preset, const char *attributes)
{
	struct directory_map_settings set = {
		.preset = preset, .attributes = attributes,
		.username_attribute = "", .organization = "Org",
	};
	struct directory_map *map;
	const char *error;

	assert_int_equal(directory_map_init(&set, &map, &error), 0);
	return map;
}

static void
parse(struct result *result, const struct directory_map *map, const char *ldif)
{
	const char *error = NULL;

	i_zero(result);
	result->map = map;
	result->pool = pool_alloconly_create("test", 1024);
	if (ldif_parse((const void *)ldif, strlen(ldif), add_entry, result,
		       &error) < 0)
		fail_msg("%s", error);
}

static const struct mapi_value *
get_value(const struct directory_object *object, uint32_t tag)
{
	for (unsigned int i = 0; i < object->props_count; i++) {
		if (object->props[i].tag == tag)
			return &object->props[i].value;
	}
	return NULL;
}

static const char *
get_str(const struct directory_object *object, uint32_t tag)
{
	for (unsigned int i = 0; i < object->props_count; i++) {
		if (object->props[i].tag == tag)
			return object->props[i].value.u.str;
	}
	return NULL;
}

static void test_dn(void **state)
{
	static const char *const same[][2] = {
		{ "CN=A,DC=X", "cn=a,dc=x" },
		{ " cn = a ; dc = x ", "cn=a,dc=x" },
		{ "cn=a b ,dc=x", "cn=a b,dc=x" },
		{ "cn=a\\2Cb,dc=x", "cn=a\\,b,dc=x" },
		{ "cn=a\\,b,dc=x", "cn=a\\,b,dc=x" },
		{ "cn=\\C3\\BC,dc=x", "cn=\xc3\xbc,dc=x" },
		{ "cn=a\\ ,dc=x", "cn=a ,dc=x" },
		{ "cn=a\\00b", "cn=a\\00b" },
		{ "uid=a+cn=B, dc=x", "uid=a+cn=b,dc=x" },
		{ "", "" }, { "\\", "\\" }, { "nonsense", "nonsense" },
	};

	for (unsigned int i = 0; i < N_ELEMENTS(same); i++) {
		assert_string_equal(directory_dn_normalize(same[i][0]),
				    same[i][1]);
	}
	assert_string_not_equal(directory_dn_normalize("cn=a,cn=b"),
				directory_dn_normalize("cn=a\\,cn=b"));
}

static void test_ldif_syntax(void **state)
{
	static const struct {
		const char *ldif, *error;
	} bad[] = {
		{ "hello\n", "line 1: " },
		{ "dn: a\nb: c\n\nd: e\n", "line 4: An entry begins" },
		{ "dn: a\nb:: ****\n", "line 2: This isn't base64" },
		{ "dn: a\n\n# x\ndn: b\nc:< file:///etc/passwd\n", "line 5: " },
		{ "dn: a\nchangetype: add\n", "line 2: This is a change" },
		{ "dn: a\n b\n: c\n", "line 3: " },
		{ "dn:: AGE=\n", "line 1: There's a NUL" },
	};
	struct directory_map *map = map_new("inetorgperson", "");
	struct result result;
	const char *error;

	parse(&result, map, "version: 1\r\n# a comment\r\n that goes on\r\n"
	      "\r\n\r\ndn:: dWlkPWEsZGM9eA==\r\nObjectClass: inetOrgPerson\r\n"
	      "cn: A\r\n  B\r\nMAIL: a@x\r\nuid:a\r\ntitle;lang-en: T\r\n"
	      "\r\ndn: dc=x\r\nobjectClass: domain");
	assert_int_equal(result.count, 2);
	assert_int_equal(result.rets[0], 1);
	assert_int_equal(result.rets[1], 0);
	assert_string_equal(result.objects[0].dn, "uid=a,dc=x");
	assert_string_equal(result.objects[0].display_name, "A B");
	assert_string_equal(get_str(&result.objects[0], PIDTAG_TITLE), "T");
	pool_unref(&result.pool);

	for (unsigned int i = 0; i < N_ELEMENTS(bad); i++) {
		i_zero(&result);
		assert_int_equal(ldif_parse((const void *)bad[i].ldif,
			strlen(bad[i].ldif), add_entry, &result, &error), -1);
		assert_int_equal(strncmp(error, bad[i].error,
					 strlen(bad[i].error)), 0);
		/* nothing of it has been used */
		assert_int_equal(result.count, 0);
	}

	string_t *many = t_str_new(65536);

	str_append(many, "dn: a\n");
	for (unsigned int i = 0; i < 1000; i++)
		str_printfa(many, "a%u: x\na%u: y\n", i, i);
	assert_int_equal(ldif_parse(str_data(many), str_len(many), add_entry,
				    &(struct result) { .map = map }, &error),
			 0);
	str_append(many, "onemore: x\n");
	assert_int_equal(ldif_parse(str_data(many), str_len(many), add_entry,
				    &result, &error), -1);
	assert_string_equal(error, "line 2002: The entry has too many "
			    "attributes");
	directory_map_deinit(&map);
}

static void test_kinds(void **state)
{
	struct directory_map *map = map_new("inetorgperson", "");
	struct result result;
	static const enum directory_kind kinds[] = {
		DIRECTORY_USER, DIRECTORY_CONTACT, DIRECTORY_GROUP,
		DIRECTORY_ROOM, DIRECTORY_CONTAINER,
	};

	parse(&result, map,
	      "dn: uid=A,dc=x\nobjectClass: top\nobjectClass: inetOrgPerson\n"
	      "uid: A\ncn: A\nmail: A@X.org\nmailAlternateAddress: b@x.org\n"
	      "mailAlternateAddress: a@x.ORG\nmailAlternateAddress: nonsense\n"
	      "entryUUID: 00112233-4455-6677-8899-aabbccddeeff\n"
	      "manager: CN=boss, dc=x\n\n"
	      "dn: cn=c,dc=x\nobjectClass: inetOrgPerson\ncn: C\nmail: c@y\n\n"
	      "dn: cn=g,dc=x\nobjectClass: groupOfNames\ncn: G\nmail: g@x\n"
	      "member: uid=A,dc=x\nmember: cn=g,dc=x\n\n"
	      "dn: uid=r,dc=x\nobjectClass: inetOrgPerson\nuid: r\ncn: R\n"
	      "mail: r@x\nemployeeType: ROOM\n"
	      "msExchHideFromAddressLists: TRUE\n\n"
	      "dn: ou=o,dc=x\nobjectClass: organizationalUnit\nou: O\n\n"
	      "dn: cn=n,dc=x\nobjectClass: groupOfNames\ncn: no address\n");
	assert_int_equal(result.count, 6);
	for (unsigned int i = 0; i < N_ELEMENTS(kinds); i++) {
		assert_int_equal(result.rets[i], 1);
		assert_int_equal(result.objects[i].kind, kinds[i]);
	}
	assert_int_equal(result.rets[5], 0);

	const struct directory_object *a = &result.objects[0];
	assert_string_equal(a->username, "a@x.org");
	assert_string_equal(a->address, "A@X.org");
	assert_int_equal(a->addresses_count, 2);
	assert_string_equal(a->addresses[1], "b@x.org");
	assert_string_equal(a->legacy_dn, "/o=Org/ou=Exchange Administrative "
		"Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=a@x.org");
	assert_memory_equal(a->id, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99"
			    "\xaa\xbb\xcc\xdd\xee\xff", DIRECTORY_ID_SIZE);
	assert_int_equal(a->links_count, 1);
	assert_string_equal(a->links[0].dn, "cn=boss,dc=x");
	assert_int_equal(a->links[0].tag, PIDTAG_ADDRESS_BOOK_MANAGER);
	assert_int_equal(result.objects[2].links_count, 2);
	assert_null(result.objects[1].username);
	assert_int_equal(a->hide, 0);
	assert_int_equal(result.objects[3].hide, 7);
	pool_unref(&result.pool);
	directory_map_deinit(&map);
}

static void test_active_directory(void **state)
{
	struct directory_map *map = map_new("ad", "PidTagTitle=description;"
					    "PidTagComment=");
	struct result result;

	parse(&result, map,
	      "dn: CN=A,DC=x\nobjectClass: user\ncn: A\nmail: old@x\n"
	      "proxyAddresses: smtp:b@x\nproxyAddresses: SMTP:new@x\n"
	      "proxyAddresses: X400:c=DE\nlegacyExchangeDN: /o=Old/cn=A\n"
	      "objectGUID:: AAECAwQFBgcICQoLDA0ODw==\n"
	      "description: Boss\ntitle: ignored\ninfo: dropped\n"
	      "targetAddress: SMTP:a@elsewhere.example\n"
	      "msExchDelegateListLink: CN=B, DC=x\n"
	      "msExchDelegateListLink: cn=c,dc=x\n");
	assert_int_equal(result.rets[0], 1);
	assert_string_equal(result.objects[0].address, "new@x");
	assert_int_equal(result.objects[0].addresses_count, 3);
	assert_string_equal(result.objects[0].legacy_dn, "/o=Old/cn=A");
	assert_int_equal(result.objects[0].id[15], 15);
	assert_string_equal(get_str(&result.objects[0], PIDTAG_TITLE), "Boss");
	assert_null(get_str(&result.objects[0], PIDTAG_COMMENT));
	assert_string_equal(get_str(&result.objects[0],
				    PIDTAG_ADDRESS_BOOK_TARGET_ADDRESS),
			    "SMTP:a@elsewhere.example");
	assert_int_equal(result.objects[0].links_count, 2);
	assert_int_equal(result.objects[0].links[0].tag,
			 DIRECTORY_LINK_AUTOMAPPING);
	assert_string_equal(result.objects[0].links[0].dn, "cn=b,dc=x");
	pool_unref(&result.pool);

	parse(&result, map,
	      "dn: CN=R,DC=x\nobjectClass: user\ncn: R\nmail: r@x\n"
	      "msExchRecipientDisplayType: 7\nmsExchResourceCapacity: 12\n"
	      "msDS-HABSeniorityIndex: many\nmsExchEnableModeration: TRUE\n"
	      "extensionAttribute15: last\n");
	assert_int_equal(result.objects[0].kind, DIRECTORY_ROOM);
	assert_int_equal(get_value(&result.objects[0],
				   PIDTAG_ADDRESS_BOOK_ROOM_CAPACITY)->u.i32,
			 12);
	assert_true(get_value(&result.objects[0],
			      PIDTAG_ADDRESS_BOOK_MODERATION_ENABLED)->u.b);
	assert_null(get_value(&result.objects[0],
			      PIDTAG_ADDRESS_BOOK_SENIORITY_INDEX));
	assert_string_equal(get_str(&result.objects[0],
				    PIDTAG_ADDRESS_BOOK_EXTENSION_ATTRIBUTE15),
			    "last");
	pool_unref(&result.pool);
	directory_map_deinit(&map);
}

/* What directories shouldn't have, and have */
static void test_hostile(void **state)
{
	struct directory_map *map = map_new("inetorgperson", "");
	string_t *ldif = t_str_new(65536);
	struct result result;

	str_append(ldif, "dn: uid=a,dc=x\nobjectClass: person\nuid: a\n"
		   "mail: a@x\ntitle:: /0FCCQ==\no:: ICA=\nl: ");
	for (unsigned int i = 0; i < 3000; i++)
		str_append(ldif, "\xc3\xbc");
	str_append(ldif, "\n\ndn: uid=b,dc=x\nobjectClass: person\nuid: b\n"
		   "mail: two words@x\n");
	parse(&result, map, str_c(ldif));
	/* no name at all: the address will do */
	assert_int_equal(result.rets[0], 1);
	assert_string_equal(result.objects[0].display_name, "a@x");
	/* invalid UTF-8 and a control character */
	assert_string_equal(get_str(&result.objects[0], PIDTAG_TITLE),
			    "\xef\xbf\xbd" "AB");
	assert_null(get_str(&result.objects[0], PIDTAG_COMPANY_NAME));
	/* too long: cut between characters */
	assert_int_equal(strlen(get_str(&result.objects[0], PIDTAG_LOCALITY)),
			 4096);
	assert_int_equal(result.rets[1], 0);
	pool_unref(&result.pool);

	/* values of no bytes are none */
	parse(&result, map, "dn: uid=a,dc=x\nobjectClass: person\nuid: a\n"
	      "mail: a@x\ncn:\ntitle::\njpegPhoto:\nuserCertificate::\n"
	      "userCertificate:: AA==\nmanager:\n\ndn:\nobjectClass:\n");
	assert_int_equal(result.rets[0], 1);
	assert_string_equal(result.objects[0].display_name, "a@x");
	assert_null(get_str(&result.objects[0], PIDTAG_TITLE));
	for (unsigned int i = 0; i < result.objects[0].props_count; i++) {
		const struct mapi_property *prop = &result.objects[0].props[i];

		assert_int_not_equal(prop->tag, PIDTAG_THUMBNAIL_PHOTO);
		if (prop->tag == PIDTAG_ADDRESS_BOOK_X509_CERTIFICATE)
			assert_int_equal(prop->value.u.mv.count, 1);
	}
	assert_int_equal(result.rets[1], 0);
	pool_unref(&result.pool);
	directory_map_deinit(&map);
}

static void test_settings(void **state)
{
	static const struct {
		const char *preset, *attributes, *error;
	} bad[] = {
		{ "x500", "", "Unknown preset" },
		{ "ad", "PidTagNonsense=x", "Unknown property" },
		{ "ad", "PidTagTitle", "has no '='" },
	};
	struct directory_map_settings set = {
		.username_attribute = "", .organization = "Org",
	};
	struct directory_map *map;
	const char *error;

	for (unsigned int i = 0; i < N_ELEMENTS(bad); i++) {
		set.preset = bad[i].preset;
		set.attributes = bad[i].attributes;
		assert_int_equal(directory_map_init(&set, &map, &error), -1);
		assert_non_null(strstr(error, bad[i].error));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dn),
		cmocka_unit_test(test_ldif_syntax),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_active_directory),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_settings),
	};
	int ret;

	lib_init();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	lib_deinit();
	return ret;
}

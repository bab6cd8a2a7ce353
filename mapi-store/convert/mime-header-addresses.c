/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Properties from header fields with addresses. [MS-OXCMAIL] 2.2.3.1 */

#include "lib.h"
#include "array.h"
#include "str.h"
#include "mapi-entryid.h"
#include "mapi-wire.h"
#include "mime-address.h"
#include "mime-headers-private.h"
#include "mime-recipients.h"
#include "mime-text.h"

/* All addresses of a field, of which there may be several, to the data stack
   array; they are on mem. Returns 1, 0 if there are none, -1 on failure. */
static int
get_addresses(struct mime_header_source *source, const char *name,
	      TALLOC_CTX *mem, unsigned int max,
	      ARRAY_TYPE(mime_address) *addresses)
{
	const char *const *values;
	int ret;

	ret = source->get_raw(source, name, &values);
	if (ret <= 0)
		return ret;
	for (; *values != NULL; values++)
		mime_addresses_parse(mem, *values, max, addresses);
	return array_count(addresses) > 0 ? 1 : 0;
}

/* The first address of the first field that has one; of several addresses in
   From the others are ignored, [MS-OXCMAIL] 2.2.3.1.3. */
enum mime_prop_result
mime_header_get_address(const struct mime_header_prop *prop,
			struct mime_header_source *source, TALLOC_CTX *mem,
			struct mapi_value *value_r)
{
	ARRAY_TYPE(mime_address) addresses;
	enum mime_prop_result result = MIME_PROP_NOT_FOUND;
	const struct mime_address *addr;
	TALLOC_CTX *tmp = talloc_new(NULL);
	unsigned int i, count;
	int ret;

	t_array_init(&addresses, 1);
	for (i = 0; i < N_ELEMENTS(prop->names) && prop->names[i] != NULL;
	     i++) {
		ret = get_addresses(source, prop->names[i], tmp, 1, &addresses);
		if (ret < 0)
			result = MIME_PROP_FAILED;
		if (ret != 0)
			break;
	}
	addr = array_get(&addresses, &count);
	if (count > 0)
		result = mime_address_get(addr, prop->arg, mem, value_r);
	talloc_free(tmp);
	return result;
}

/* PidTagDisplayTo etc.: names separated by "; ", "" if there are none.
   [MS-OXOMSG] 2.2.1.7 */
enum mime_prop_result
mime_header_get_display_list(const struct mime_header_prop *prop,
			     struct mime_header_source *source,
			     TALLOC_CTX *mem, struct mapi_value *value_r)
{
	ARRAY_TYPE(mime_address) addresses;
	const struct mime_address *addrs;
	TALLOC_CTX *tmp = talloc_new(NULL);
	string_t *str = t_str_new(128);
	unsigned int i, count;
	int ret;

	t_array_init(&addresses, 8);
	ret = get_addresses(source, prop->names[0], tmp, MIME_MAX_RECIPIENTS,
			    &addresses);
	addrs = array_get(&addresses, &count);
	for (i = 0; i < count; i++) {
		if (i > 0)
			str_append(str, "; ");
		str_append(str, addrs[i].name);
	}
	talloc_free(tmp);
	if (ret < 0)
		return MIME_PROP_FAILED;
	*value_r = mapi_value_str(mime_strdup(mem, str_c(str)));
	return MIME_PROP_FOUND;
}

/* A FlatEntryList, [MS-OXCDATA] 2.3.3 */
enum mime_prop_result
mime_header_get_reply_entries(const struct mime_header_prop *prop,
			      struct mime_header_source *source,
			      TALLOC_CTX *mem, struct mapi_value *value_r)
{
	ARRAY_TYPE(mime_address) addresses;
	const struct mime_address *addrs;
	TALLOC_CTX *tmp = talloc_new(NULL);
	struct mapi_push push;
	struct mapi_binary eid;
	unsigned int i, count;
	int ret;

	t_array_init(&addresses, 4);
	ret = get_addresses(source, prop->names[0], tmp, MIME_MAX_RECIPIENTS,
			    &addresses);
	if (ret <= 0) {
		talloc_free(tmp);
		return mime_prop_from_ret(ret);
	}
	addrs = array_get(&addresses, &count);
	mapi_push_init(&push, mem, 0);
	(void)mapi_push_u32(&push, count);
	(void)mapi_push_u32(&push, 0);
	for (i = 0; i < count; i++) {
		eid = mapi_one_off_entry_id_build(tmp, addrs[i].name, "SMTP",
						  addrs[i].address);
		(void)mapi_push_u32(&push, eid.len);
		(void)mapi_push_bytes(&push, eid.data, eid.len);
		while (push.size % 4 != 0 && mapi_push_ok(&push))
			(void)mapi_push_u8(&push, 0);
	}
	mapi_push_patch_u32(&push, 4, push.size - 8);
	talloc_free(tmp);
	mime_check_alloc(mapi_push_ok(&push) ? push.data : NULL);
	*value_r = mapi_value_bin(push.data, push.size);
	return MIME_PROP_FOUND;
}

/* Clients split at every semicolon and pair the names with the entries. */
enum mime_prop_result
mime_header_get_reply_names(const struct mime_header_prop *prop,
			    struct mime_header_source *source,
			    TALLOC_CTX *mem, struct mapi_value *value_r)
{
	ARRAY_TYPE(mime_address) addresses;
	const struct mime_address *addrs;
	TALLOC_CTX *tmp = talloc_new(NULL);
	string_t *str = t_str_new(128);
	const char *p;
	unsigned int i, count;
	int ret;

	t_array_init(&addresses, 4);
	ret = get_addresses(source, prop->names[0], tmp, MIME_MAX_RECIPIENTS,
			    &addresses);
	addrs = array_get(&addresses, &count);
	for (i = 0; i < count; i++) {
		if (i > 0)
			str_append_c(str, ';');
		for (p = addrs[i].name; *p != '\0'; p++) {
			if (*p != ';')
				str_append_c(str, *p);
		}
	}
	talloc_free(tmp);
	if (ret <= 0)
		return mime_prop_from_ret(ret);
	*value_r = mapi_value_str(mime_strdup(mem, str_c(str)));
	return MIME_PROP_FOUND;
}

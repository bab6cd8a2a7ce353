/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "strnum.h"
#include "ldap-entry.h"

#define RANGE_OPTION "range="

ARRAY_DEFINE_TYPE(directory_attribute, struct directory_attribute);

static struct directory_attribute *
entry_find(ARRAY_TYPE(directory_attribute) *attributes, const char *name)
{
	struct directory_attribute *attr;

	array_foreach_modifiable(attributes, attr) {
		if (strcmp(attr->name, name) == 0)
			return attr;
	}
	return NULL;
}

/* "member;range=0-1499": returns FALSE if these aren't values to look at. */
static bool
entry_parse_options(const char *options, unsigned int *range_next_r)
{
	const char *const *option = t_strsplit(options, ";"), *end;
	unsigned int last;

	*range_next_r = 0;
	for (; *option != NULL; option++) {
		if (strcasecmp(*option, "binary") == 0)
			continue;
		if (strncasecmp(*option, RANGE_OPTION,
				strlen(RANGE_OPTION)) != 0)
			return FALSE;
		end = strchr(*option, '-');
		if (end == NULL)
			return FALSE;
		/* "*": these are the last */
		if (str_to_uint(end + 1, &last) == 0 && last < UINT_MAX)
			*range_next_r = last + 1;
	}
	return TRUE;
}

static void
attribute_set(struct directory_attribute *attr, const struct berval *vals,
	      pool_t pool)
{
	struct mapi_binary *values;
	unsigned int count = 0, i;

	while (vals != NULL && vals[count].bv_val != NULL)
		count++;
	values = p_new(pool, struct mapi_binary, count + 1);
	for (i = 0; i < count; i++) {
		unsigned char *data = p_malloc(pool, vals[i].bv_len + 1);

		memcpy(data, vals[i].bv_val, vals[i].bv_len);
		values[i].data = data;
		values[i].len = vals[i].bv_len;
	}
	attr->values = values;
	attr->count = count;
}

static void
entry_add(ARRAY_TYPE(directory_attribute) *attributes,
	  const struct berval *type, const struct berval *vals, pool_t pool,
	  struct ldap_entry_range *range_r)
{
	struct directory_attribute *attr;
	const char *full = t_strndup(type->bv_val, type->bv_len);
	const char *name = t_str_lcase(t_strcut(full, ';'));
	const char *options = strchr(full, ';');
	unsigned int next = 0;

	if (options != NULL && !entry_parse_options(options + 1, &next))
		return;
	/* Beside "member;range=0-1499" there's an empty "member". */
	attr = entry_find(attributes, name);
	if (attr != NULL && attr->count > 0)
		return;
	if (attr == NULL) {
		attr = array_append_space(attributes);
		attr->name = p_strdup(pool, name);
	}
	attribute_set(attr, vals, pool);
	if (next > 0 && attr->count > 0) {
		range_r->attribute = attr->name;
		range_r->next = next;
	}
}

int ldap_entry_read(LDAP *ld, LDAPMessage *msg, pool_t pool,
		    struct directory_entry *entry_r,
		    struct ldap_entry_range *range_r, const char **error_r)
{
	ARRAY_TYPE(directory_attribute) attributes;
	BerElement *ber = NULL;
	struct berval dn, type, *vals;
	int ret;

	i_zero(entry_r);
	i_zero(range_r);
	ret = ldap_get_dn_ber(ld, msg, &ber, &dn);
	p_array_init(&attributes, pool, 32);
	if (ret == LDAP_SUCCESS) {
		entry_r->dn = p_strndup(pool, dn.bv_val, dn.bv_len);
		while ((ret = ldap_get_attribute_ber(ld, msg, ber, &type,
						     &vals)) == LDAP_SUCCESS &&
		       type.bv_val != NULL) {
			T_BEGIN {
				entry_add(&attributes, &type, vals, pool,
					  range_r);
			} T_END;
			ber_memfree(vals);
		}
	}
	if (ber != NULL)
		ber_free(ber, 0);
	entry_r->attributes = array_get(&attributes,
					&entry_r->attributes_count);
	if (ret != LDAP_SUCCESS) {
		*error_r = t_strdup_printf("Entry can't be decoded: %s",
					   ldap_err2string(ret));
		return -1;
	}
	return 0;
}

struct directory_attribute *
ldap_entry_find(struct directory_entry *entry, const char *attribute)
{
	for (unsigned int i = 0; i < entry->attributes_count; i++) {
		if (strcmp(entry->attributes[i].name, attribute) == 0) {
			return (struct directory_attribute *)
				&entry->attributes[i];
		}
	}
	return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIRECTORY_PRESETS_H
#define DIRECTORY_PRESETS_H

/* What the common schemas call things. Attributes are space separated, the
   first that an entry has counts. */

#include <stdint.h>

enum directory_preset_value {
	DIRECTORY_VALUE_FIRST,	/* a string: the first value */
	DIRECTORY_VALUE_REST,	/* strings: the others */
	DIRECTORY_VALUE_ALL,	/* strings or binaries */
	DIRECTORY_VALUE_BINARY,	/* the first value as bytes */
	DIRECTORY_VALUE_NUMBER,	/* the first value, decimal */
	DIRECTORY_VALUE_FLAG,	/* "TRUE" or something else */
	DIRECTORY_VALUE_LINK,	/* DNs of other objects */
};

struct directory_preset_row {
	/* as settings name it */
	const char *name;
	uint32_t tag;
	enum directory_preset_value value;
	/* in inetOrgPerson and related schemas, and in Active Directory */
	const char *ldap, *ad;
};

struct directory_preset {
	const char *name;
	/* a row's attributes: Active Directory's or the others' */
	int ad;
	const char *filter;
	const char *display_name, *username, *address, *aliases;
	/* object classes, in lower case */
	const char *user_classes, *contact_classes, *group_classes,
		*container_classes;
	/* a person without any of these is a contact; "" = none is needed */
	const char *account;
};

/* last: name == NULL */
extern const struct directory_preset_row directory_preset_rows[];
extern const struct directory_preset directory_presets[];

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIRECTORY_MODIFY_H
#define DIRECTORY_MODIFY_H

/* Changes of properties made changes of the directory's attributes */

#include "ldap-connection.h"

struct event;
struct directory_map;
struct directory_modify;

/* error: NULL if all is done, else nothing is (or nobody knows) */
typedef void directory_modify_callback_t(void *context, const char *error);

/* Settings are copied; the map must stay. */
struct directory_modify *
directory_modify_init(const struct ldap_connection_settings *set,
		      const struct directory_map *map, struct event *event);
/* What is being done fails. */
void directory_modify_deinit(struct directory_modify **modify);

/* args: what follows MODIFY, as directory-client.h has it. The callback may be
   called before this returns. */
void directory_modify_run(struct directory_modify *modify,
			  const char *const *args,
			  directory_modify_callback_t *callback,
			  void *context);

#endif

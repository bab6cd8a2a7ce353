/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DIRECTORY_CLIENT_H
#define DIRECTORY_CLIENT_H

/* Who asks mapi-directory by its socket: lines of fields separated by tabs, one
   answer to each, in their order.

   STATUS
	"+" and name=value fields, or "-" and a reason
   REFRESH
	the directory is read again; "+"
   MODIFY, whose change is done with which rights (DN), the object's DN, then for
   each part: one of + (add), - (remove), = (replace) and the property tag in
   hexadecimal, the number of values, the values (Base64)
	"+", or "-" and a reason */

struct directory_modify;

struct directory_client_vfuncs {
	/* a whole line, on the data stack */
	const char *(*status)(void);
	void (*refresh)(void);
};

/* v must stay. modify: NULL if nothing may be changed */
void directory_client_create(int fd, const struct directory_client_vfuncs *v,
			     struct directory_modify *modify);
void directory_clients_deinit(void);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef DOVEADM_MAPI_H
#define DOVEADM_MAPI_H

/* lib10_doveadm_mapi_plugin: the commands "doveadm mapi ...". See
   docs/man/doveadm-mapi.1. */

struct module;

extern const char *doveadm_mapi_plugin_version;

void doveadm_mapi_plugin_init(struct module *module);
void doveadm_mapi_plugin_deinit(void);

#endif

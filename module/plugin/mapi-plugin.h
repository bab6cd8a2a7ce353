/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_PLUGIN_H
#define MAPI_PLUGIN_H

/* lib95_mapi_plugin: for mail_plugins of imap, lmtp and other services. See
   mapi-plugin.c. */

struct module;

extern const char *mapi_plugin_version;

void mapi_plugin_init(struct module *module);
void mapi_plugin_deinit(void);

#endif

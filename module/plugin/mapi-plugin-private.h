/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MAPI_PLUGIN_PRIVATE_H
#define MAPI_PLUGIN_PRIVATE_H

/* What the files of the plugin share */

#include "mail-storage-private.h"

/* vname of the reserved parent without the namespace's prefix */
const char *mapi_plugin_companion_root(struct mail_user *user);
/* What is done in between sees everything. */
void mapi_plugin_unhide(struct mail_user *user);
void mapi_plugin_hide(struct mail_user *user);

/* FALSE for the companion tree, what isn't in the inbox namespace, and the MAPI
   server, which sees to its bags itself. */
bool mapi_plugin_may_have_bags(struct mailbox *box);

struct module;

/* mapi-plugin-flags.c */
void mapi_flags_hooks_init(struct module *module);
void mapi_flags_hooks_deinit(void);

/* mapi-plugin-bags.c */
void mapi_bags_hooks_init(struct module *module);
void mapi_bags_hooks_deinit(void);

#endif

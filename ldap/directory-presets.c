/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "lib.h"
#include "mapi-props.h"
#include "directory-object.h"
#include "directory-presets.h"

#define FIRST DIRECTORY_VALUE_FIRST
#define REST DIRECTORY_VALUE_REST
#define ALL DIRECTORY_VALUE_ALL
#define BINARY DIRECTORY_VALUE_BINARY
#define LINK DIRECTORY_VALUE_LINK

/* [MS-OXOABK] 2.2.3 to 2.2.6 has the properties. */
const struct directory_preset_row directory_preset_rows[] = {
	{ "PidTagSurname", PIDTAG_SURNAME, FIRST, "sn", "sn" },
	{ "PidTagGivenName", PIDTAG_GIVEN_NAME, FIRST,
	  "givenName", "givenName" },
	{ "PidTagInitials", PIDTAG_INITIALS, FIRST, "initials", "initials" },
	{ "PidTagGeneration", PIDTAG_GENERATION, FIRST,
	  "generationQualifier", "generationQualifier" },
	{ "PidTagAccount", PIDTAG_ACCOUNT, FIRST,
	  "uid", "mailNickname sAMAccountName" },
	{ "PidTagTitle", PIDTAG_TITLE, FIRST, "title", "title" },
	{ "PidTagDepartmentName", PIDTAG_DEPARTMENT_NAME, FIRST,
	  "departmentNumber ou", "department" },
	{ "PidTagCompanyName", PIDTAG_COMPANY_NAME, FIRST, "o", "company" },
	{ "PidTagOfficeLocation", PIDTAG_OFFICE_LOCATION, FIRST,
	  "physicalDeliveryOfficeName roomNumber",
	  "physicalDeliveryOfficeName" },
	{ "PidTagBusinessTelephoneNumber", PIDTAG_BUSINESS_TELEPHONE_NUMBER,
	  FIRST, "telephoneNumber", "telephoneNumber" },
	{ "PidTagBusiness2TelephoneNumbers",
	  PIDTAG_BUSINESS2_TELEPHONE_NUMBERS, REST, "telephoneNumber", "" },
	{ "PidTagHomeTelephoneNumber", PIDTAG_HOME_TELEPHONE_NUMBER, FIRST,
	  "homePhone", "homePhone" },
	{ "PidTagHome2TelephoneNumbers", PIDTAG_HOME2_TELEPHONE_NUMBERS, REST,
	  "homePhone", "" },
	{ "PidTagMobileTelephoneNumber", PIDTAG_MOBILE_TELEPHONE_NUMBER, FIRST,
	  "mobile", "mobile" },
	{ "PidTagPrimaryFaxNumber", PIDTAG_PRIMARY_FAX_NUMBER, FIRST,
	  "facsimileTelephoneNumber", "facsimileTelephoneNumber" },
	{ "PidTagPagerTelephoneNumber", PIDTAG_PAGER_TELEPHONE_NUMBER, FIRST,
	  "pager", "pager" },
	{ "PidTagAssistantTelephoneNumber",
	  PIDTAG_ASSISTANT_TELEPHONE_NUMBER, FIRST, "", "telephoneAssistant" },
	{ "PidTagAssistant", PIDTAG_ASSISTANT, FIRST,
	  "", "msExchAssistantName" },
	{ "PidTagStreetAddress", PIDTAG_STREET_ADDRESS, FIRST,
	  "street", "streetAddress" },
	{ "PidTagLocality", PIDTAG_LOCALITY, FIRST, "l", "l" },
	{ "PidTagStateOrProvince", PIDTAG_STATE_OR_PROVINCE, FIRST,
	  "st", "st" },
	{ "PidTagPostalCode", PIDTAG_POSTAL_CODE, FIRST,
	  "postalCode", "postalCode" },
	{ "PidTagCountry", PIDTAG_COUNTRY, FIRST, "co c", "co" },
	{ "PidTagPostOfficeBox", PIDTAG_POST_OFFICE_BOX, FIRST,
	  "postOfficeBox", "postOfficeBox" },
	{ "PidTagPostalAddress", PIDTAG_POSTAL_ADDRESS, FIRST,
	  "postalAddress", "postalAddress" },
	{ "PidTagComment", PIDTAG_COMMENT, FIRST, "description", "info" },
	{ "PidTagUserX509Certificate", PIDTAG_USER_X509_CERTIFICATE, ALL,
	  "userSMIMECertificate", "userSMIMECertificate" },
	{ "PidTagAddressBookX509Certificate",
	  PIDTAG_ADDRESS_BOOK_X509_CERTIFICATE, ALL,
	  "userCertificate", "userCertificate" },
	{ "PidTagThumbnailPhoto", PIDTAG_THUMBNAIL_PHOTO, BINARY,
	  "jpegPhoto", "thumbnailPhoto" },
	{ "PidTagAddressBookPhoneticDisplayName",
	  PIDTAG_ADDRESS_BOOK_PHONETIC_DISPLAY_NAME, FIRST,
	  "", "msDS-PhoneticDisplayName" },
	{ "PidTagAddressBookPhoneticGivenName",
	  PIDTAG_ADDRESS_BOOK_PHONETIC_GIVEN_NAME, FIRST,
	  "", "msDS-PhoneticFirstName" },
	{ "PidTagAddressBookPhoneticSurname",
	  PIDTAG_ADDRESS_BOOK_PHONETIC_SURNAME, FIRST,
	  "", "msDS-PhoneticLastName" },
	{ "PidTagAddressBookManager", PIDTAG_ADDRESS_BOOK_MANAGER, LINK,
	  "manager", "manager" },
	{ "PidTagAddressBookMember", PIDTAG_ADDRESS_BOOK_MEMBER, LINK,
	  "member uniqueMember", "member" },
	{ "PidTagAddressBookOwner", PIDTAG_ADDRESS_BOOK_OWNER, LINK,
	  "owner", "managedBy" },
	{ "PidTagAddressBookPublicDelegates",
	  PIDTAG_ADDRESS_BOOK_PUBLIC_DELEGATES, LINK, "", "publicDelegates" },
	{ "PidTagAddressBookTargetAddress", PIDTAG_ADDRESS_BOOK_TARGET_ADDRESS,
	  FIRST, "", "targetAddress" },
	/* not a property */
	{ "Automapping", DIRECTORY_LINK_AUTOMAPPING, LINK,
	  "", "msExchDelegateListLink" },
	{ NULL, 0, FIRST, NULL, NULL }
};

#define LDAP_FILTER \
	"(|(&(objectClass=person)(mail=*))(&(objectClass=account)(mail=*))" \
	"(&(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)" \
	"(objectClass=mailGroup)(objectClass=posixGroup))(mail=*))" \
	"(objectClass=organizationalUnit))"
#define AD_FILTER \
	"(|(&(objectCategory=person)(mail=*))(&(objectClass=group)(mail=*))" \
	"(objectClass=organizationalUnit))"

const struct directory_preset directory_presets[] = {
	{ "inetorgperson", 0, LDAP_FILTER,
	  "displayName cn", "mail", "mail",
	  "mailLocalAddress mailAlternateAddress mailAlias proxyAddresses",
	  "inetorgperson person account", "",
	  "groupofnames groupofuniquenames mailgroup posixgroup",
	  "organizationalunit", "uid" },
	{ "freeipa", 0, LDAP_FILTER,
	  "displayName cn", "mail", "mail", "mailAlternateAddress",
	  "inetorgperson person", "",
	  "groupofnames ipausergroup posixgroup", "organizationalunit",
	  "uid" },
	{ "ad", 1, AD_FILTER,
	  "displayName cn name", "mail", "mail", "proxyAddresses",
	  "user", "contact", "group", "organizationalunit", "" },
	{ NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }
};

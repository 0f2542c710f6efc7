/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Passwords.
 *
 * What a client sends is hashed, and two hashes are compared: their length is
 * fixed, so the time tells nothing of how much of a guess was right.
 *
 * I1. No function here keeps or prints the clear text.
 */
#include "engine/password.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

_Static_assert(PASSWORD_HEX_SIZE == 2 * SHA256_DIGEST_LENGTH + 1,
	       "two digits a byte and a 0");

void password_hash(struct slice password, char out[PASSWORD_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char raw[SHA256_DIGEST_LENGTH];
	unsigned char *done = SHA256(password.data, password.size, raw);
	size_t i;

	assert(done == raw);
	for (i = 0; i < sizeof(raw); i++) {
		out[2 * i] = digits[raw[i] >> 4];
		out[2 * i + 1] = digits[raw[i] & 15];
	}
	out[2 * sizeof(raw)] = 0;
	OPENSSL_cleanse(raw, sizeof(raw));
}

bool password_matches(struct slice candidate, const char *hex)
{
	static const char none[PASSWORD_HEX_SIZE] = "";
	char mine[PASSWORD_HEX_SIZE];
	bool equal;

	password_hash(candidate, mine);
	equal = CRYPTO_memcmp(mine, hex ? hex : none, sizeof(mine)) == 0;
	return equal && hex != NULL;
}

bool password_is_hash(struct slice s)
{
	size_t i;

	if (s.size != PASSWORD_HEX_SIZE - 1)
		return false;
	for (i = 0; i < s.size; i++)
		if (!((s.data[i] >= '0' && s.data[i] <= '9') ||
		      (s.data[i] >= 'a' && s.data[i] <= 'f')))
			return false;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dlp/check.h"

static unsigned
digit(uint8_t c)
{
	return c - (unsigned)'0';
}

static unsigned
weigh(const uint8_t *d, const uint8_t *weights, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += digit(d[i]) * weights[i];
	return sum;
}

uint8_t
check_individual_digit(const uint8_t *eleven)
{
	static const uint8_t weights[] = { 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2 };
	unsigned rest = weigh(eleven, weights, sizeof(weights)) % 11;

	return (uint8_t)('0' + (rest <= 1 ? 0 : 11 - rest));
}

uint8_t
check_corporate_digit(const uint8_t *twelve)
{
	static const uint8_t weights[] = { 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1 };

	return (uint8_t)('0' + 9 - weigh(twelve, weights, sizeof(weights)) % 9);
}

uint8_t
check_card_digit(const uint8_t *digits, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned twice = digit(digits[n - 1 - i]) << (i % 2 == 0);

		sum += twice > 9 ? twice - 9 : twice;
	}
	return (uint8_t)('0' + (10 - sum % 10) % 10);
}

uint8_t
check_licence_digit(const uint8_t *ten)
{
	static const uint8_t weights[] = { 5, 4, 3, 2, 7, 6, 5, 4, 3, 2 };

	return (uint8_t)('0' +
	    (11 - weigh(ten, weights, sizeof(weights)) % 11) % 10);
}

static bool
is_varied(const uint8_t *d, size_t n)
{
	unsigned seen = 0;

	for (size_t i = 0; i < n; i++)
		seen |= 1U << digit(d[i]);
	return __builtin_popcount(seen) >= 3;
}

bool
check_individual(const uint8_t *d, size_t n)
{
	return n == INDIVIDUAL_DIGITS && check_individual_digit(d) == d[11] &&
	    is_varied(d, n);
}

bool
check_individual_short(const uint8_t *d, size_t n)
{
	uint8_t whole[INDIVIDUAL_DIGITS] = { '0' };
	bool valid;

	if (n != INDIVIDUAL_DIGITS - 1 || d[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++)
		whole[i + 1] = d[i];
	valid = check_individual(whole, sizeof(whole));
	/* no copy of a number stays on the stack */
	for (volatile uint8_t *p = whole; p < whole + sizeof(whole); p++)
		*p = 0;
	return valid;
}

bool
check_corporate(const uint8_t *d, size_t n)
{
	return n == CORPORATE_DIGITS && check_corporate_digit(d + 1) == d[0] &&
	    is_varied(d, n);
}

uint64_t
check_value(const uint8_t *d, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value * 10 + digit(d[i]);
	return value;
}

bool
check_card_network(const uint8_t *d, size_t n)
{
	static const struct {
		uint16_t from, to; /* of the first four digits */
		uint8_t n;
	} networks[] = {
		{ 2221, 2720, 16 }, /* Mastercard */
		{ 3000, 3059, 14 }, /* Diners Club */
		{ 3400, 3499, 15 }, /* American Express */
		{ 3528, 3589, 16 }, /* JCB */
		{ 3600, 3699, 14 }, /* Diners Club */
		{ 3700, 3799, 15 }, /* American Express */
		{ 3800, 3999, 14 }, /* Diners Club */
		{ 4000, 4999, 16 }, /* Visa */
		{ 5100, 5599, 16 }, /* Mastercard */
		{ 6011, 6011, 16 }, /* Discover */
		{ 6221, 6229, 16 }, /* UnionPay */
		{ 6440, 6599, 16 }, /* Discover */
	};
	uint64_t head = n < 4 ? 0 : check_value(d, 4);

	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++)
		if (networks[i].n == n && head >= networks[i].from &&
		    head <= networks[i].to)
			return true;
	return false;
}

bool
check_card(const uint8_t *d, size_t n)
{
	return check_card_network(d, n) && is_varied(d, n) &&
	    check_card_digit(d, n - 1) == d[n - 1];
}

bool
check_licence(const uint8_t *d, size_t n)
{
	/* the last unit of each ten of the prefectures' codes; 0: no such */
	static const uint8_t last[10] = { 0, 5, 6, 1, 10, 6, 6, 5, 4, 8 };

	return n == 12 && digit(d[1]) < last[digit(d[0])] &&
	    check_licence_digit(d) == d[10] && is_varied(d, n);
}

bool
check_pension(const uint8_t *d, size_t n)
{
	return n == 10 && is_varied(d, n);
}

bool
check_account(const uint8_t *d, size_t n)
{
	return n == 7 && is_varied(d, n);
}

bool
check_postal_account(const uint8_t *d, size_t n)
{
	return (n == 12 || n == 13) && d[0] == '1' && d[4] == '0' &&
	    d[n - 1] == '1';
}

bool
check_is_day(const uint8_t *eight)
{
	uint64_t year = check_value(eight, 4);
	uint64_t month = check_value(eight + 4, 2);
	uint64_t day = check_value(eight + 6, 2);

	return year >= 1900 && year < 2100 && month >= 1 && month <= 12 &&
	    day >= 1 && day <= 31;
}

bool
check_is_time(const uint8_t *d, size_t n)
{
	return n == 12 && check_is_day(d) && check_value(d + 8, 2) < 24 &&
	    check_value(d + 10, 2) < 60;
}

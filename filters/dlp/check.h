/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: what the digits of a number say about themselves. Digits are ASCII,
 * as many as the name says; nothing here looks at what stands around them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDIVIDUAL_DIGITS 12
#define CORPORATE_DIGITS 13

/* The check digit (ASCII) that belongs behind the first eleven digits of an
 * individual number (番号法 ordinance: weights 6 5 4 3 2 7 6 5 4 3 2). */
uint8_t check_individual_digit(const uint8_t *eleven);
/* The check digit that belongs before the last twelve of a corporate number. */
uint8_t check_corporate_digit(const uint8_t *twelve);
/* Luhn's digit, for the n digits before it. */
uint8_t check_card_digit(const uint8_t *digits, size_t n);
/* The eleventh digit of a driver's licence, for the ten before it. */
uint8_t check_licence_digit(const uint8_t *ten);

/*
 * Whether a number of a kind may look so: its length, its check digit, the
 * ranges that are given out, and three different digits at least.
 */
bool check_individual(const uint8_t *d, size_t n);
/* Eleven digits that a spreadsheet left of twelve with a leading zero. */
bool check_individual_short(const uint8_t *d, size_t n);
bool check_corporate(const uint8_t *d, size_t n);
bool check_card(const uint8_t *d, size_t n);
bool check_licence(const uint8_t *d, size_t n);
bool check_pension(const uint8_t *d, size_t n);
bool check_account(const uint8_t *d, size_t n);
/* Symbol (five digits) and number (seven or eight) of the post's bank. */
bool check_postal_account(const uint8_t *d, size_t n);
/* A card's first digits belong to a network, whatever its check digit. */
bool check_card_network(const uint8_t *d, size_t n);

/* YYYYMMDDHHMM, of which a tenth has the check digit of an individual number,
 * and YYYYMMDD. */
bool check_is_time(const uint8_t *d, size_t n);
bool check_is_day(const uint8_t *eight);
/* The value of n digits. */
uint64_t check_value(const uint8_t *d, size_t n);

/* SPDX-License-Identifier: Apache-2.0 */
/* xls_change: records that stay without what is bad in them. */
#pragma once

#include "filters/ole/xls.h"

/* xls_change.c */
enum xls_fate xls_change_boundsheet(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_writeaccess(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_hlink(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_drawing(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_obj(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_txo(struct xls *x, struct xls_record *r);

/* xls_refer.c: names and other books. */
enum xls_fate xls_change_externsheet(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_supbook(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_externname(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_name(struct xls *x, struct xls_record *r);

/* xls_cell.c: formulas. */
enum xls_fate xls_change_formula(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_string(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_array(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_shared(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_chart_formula(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_cf(struct xls *x, struct xls_record *r);
enum xls_fate xls_change_dv(struct xls *x, struct xls_record *r);

/* SPDX-License-Identifier: Apache-2.0 */
/* notice: what a reader is told in the mail itself. */
#pragma once

/* Warnings that the checkpoint asks for by number (`banner=` of its order),
 * at the top of the mail: in Japanese, in English. */
#define MAIL_BANNERS(R)                                                  \
	R(1, "この差出人からのメールは初めてです。",                     \
	    "This is the first mail from this sender.")                  \
	R(2, "差出人の表示名は、庁内の名前に似せてあります。",           \
	    "The sender's display name imitates a name of this office.") \
	R(3, "返信先は差出人のアドレスと異なります。",                   \
	    "Replies go to another address than the sender's.")          \
	R(4, "差出人のドメインは、よく知られたものに似せてあります。",   \
	    "The sender's domain looks like another one.")               \
	R(5, "差出人を確認できませんでした（送信ドメイン認証に失敗）。", \
	    "The sender could not be verified (authentication failed).") \
	R(6, "パスワード付きの添付ファイルは保留しています。",           \
	    "An attachment with a password is held.")

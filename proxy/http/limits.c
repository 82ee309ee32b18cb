/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/http/limits.h"

const struct setting limit_table[] = {
	SETTING(limit_settings, head_max, SIZE, 32768, 1024, 1048576,
	    "Bytes of a request's or answer's head.",
	    "要求・応答の先頭部（開始行とフィールド）の大きさ。"),
	SETTING(limit_settings, fields_max, COUNT, 128, 16, 4096,
	    "Fields of one head or trailer.",
	    "先頭部またはトレーラーのフィールド数。"),
	SETTING(limit_settings, chunk_line_max, SIZE, 256, 16, 16384,
	    "Bytes of a chunk-size line with its extensions.",
	    "チャンク長の行（拡張を含む）の大きさ。"),
	SETTING(limit_settings, trailer_max, SIZE, 8192, 64, 1048576,
	    "Bytes of a trailer section.", "トレーラーの大きさ。"),
	SETTING(limit_settings, check_codings, FLAG, 1, 0, 1,
	    "Whether coded bodies (gzip, deflate, br, zstd) are decoded, and"
	    " what comes of it thrown away, to see that they are whole and"
	    " nothing follows.",
	    "符号化された本文（gzip・deflate・br・zstd）を復号し（結果は捨てる"
	    "）"
	    "、完全で余分がないことを確かめるか。"),
	SETTING(limit_settings, decoded_ratio, COUNT, 100, 10, 1100,
	    "How many times longer than its coded form a body may become, once"
	    " it is over 1 MiB. Deflate makes 1032 at most.",
	    "復号後の本文が符号化時の何倍まで許されるか（1 MiB "
	    "を超えた分から）。deflate の最大は 1032 倍。"),
	SETTING(limit_settings, h2, FLAG, 1, 0, 1,
	    "Whether HTTP/2 is spoken with clients and with origins that offer"
	    " it.",
	    "HTTP/2 に対応する端末・接続先と HTTP/2 で通信するか。"),
	SETTING(limit_settings, h2_streams_max, COUNT, 100, 1, 1000,
	    "Requests at a time of one client's HTTP/2 connection. An origin"
	    " says itself how many it takes.",
	    "端末の一つの HTTP/2 "
	    "接続での同時要求数（接続先の上限は接続先が決める）。"),
	SETTING(limit_settings, h2_window, SIZE, 2097152, 65535, 16777216,
	    "Bytes of one body that may be under way on an HTTP/2 connection,"
	    " and wait for its receiver. It begins with 64 KiB and grows as"
	    " long as the receiver keeps up; this much carries 500 Mbit/s over"
	    " a way of 20 ms.",
	    "HTTP/2 "
	    "接続で一つの本文が転送中・受信側待ちになれる大きさの上限。64 KiB "
	    "から始まり、受信側が追いつく間は増える。既定値で往復 20 ms "
	    "の経路に "
	    "500 Mbit/s を通せる。"),
	SETTING(limit_settings, h2_connection_window, SIZE, 8388608, 65535,
	    134217728,
	    "Bytes under way on one HTTP/2 connection, of all bodies; and what"
	    " they may have together beyond 64 KiB each.",
	    "一つの HTTP/2 接続で転送中になれる大きさ。各本文の 64 KiB "
	    "を超える分の合計の上限でもある。"),
	SETTING(limit_settings, connections_per_address, COUNT, 512, 1, 65535,
	    "Connections of one client address at a time; what a CONNECT opens"
	    " inside HTTP/2 counts as one.",
	    "一つの端末アドレスの同時接続数。HTTP/2 の中の CONNECT も数える。"),
	SETTING(limit_settings, connections_per_body, COUNT, 20000, 1, 1000000,
	    "Connections of one body at a time.",
	    "一つの構成団体の同時接続数。"),
	SETTING(limit_settings, interim_max, COUNT, 16, 1, 1000,
	    "Interim (1xx) answers before the final one.",
	    "最終応答までに許す中間応答（1xx）の数。"),
	SETTING_SECONDS_ROW(limit_settings, head_timeout, 10, 1, 300,
	    "Longest wait for a complete request head.",
	    "要求の先頭部がそろうまでの最長時間。"),
	SETTING_SECONDS_ROW(limit_settings, handshake_timeout, 15, 1, 300,
	    "Longest TLS handshake with a client.",
	    "端末との TLS ハンドシェイクの最長時間。"),
	SETTING_SECONDS_ROW(limit_settings, idle_timeout, 60, 1, 86400,
	    "Longest wait for a client's next request.",
	    "次の要求を待つ最長時間。"),
	SETTING_SECONDS_ROW(limit_settings, body_timeout, 60, 1, 86400,
	    "Longest time in which no byte of a body moves.",
	    "本文が一バイトも動かない最長時間。"),
	SETTING_SECONDS_ROW(limit_settings, answer_timeout, 120, 1, 86400,
	    "Longest wait for the head of an answer.",
	    "応答の先頭部を待つ最長時間。"),
	SETTING_SECONDS_ROW(limit_settings, tunnel_timeout, 600, 1, 86400,
	    "Longest time in which no byte moves in a tunnel.",
	    "トンネルで一バイトも動かない最長時間。"),
};
const size_t limit_table_n = COUNT(limit_table);

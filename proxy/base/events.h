/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: every event that the journal can hold; the manual is made from this
 * table. EVENT(NAME, "name", LEVEL, English, Japanese).
 */
#pragma once

/* clang-format off */
#define EVENTS(EVENT)                                                          \
EVENT(STARTED, "started", NOTICE, "A process is ready to work.",               \
    "プロセスが動き始めた。")                                                  \
EVENT(STOPPED, "stopped", NOTICE, "A process ended as it was told to.",        \
    "プロセスが指示どおり終わった。")                                          \
EVENT(DIED, "died", ERROR,                                                     \
    "A process ended unasked; the parent starts another.",                     \
    "プロセスが予定外に終わった。親が新しいものを起動する。")                  \
EVENT(BACKOFF, "backoff", ERROR,                                               \
    "A process dies again and again; its next start waits.",                   \
    "プロセスが繰り返し落ちるため、次の起動を待たせている。")                  \
EVENT(RELOADED, "reloaded", NOTICE, "New settings are in force.",              \
    "新しい設定が有効になった。")                                              \
EVENT(RELOAD_REFUSED, "reload_refused", ERROR,                                 \
    "New settings were refused; the running ones stay.",                       \
    "新しい設定を拒否した。動作中の設定のまま続ける。")                        \
EVENT(LISTS_LOADED, "lists_loaded", NOTICE,                                    \
    "A new file of URL lists is in use.",                                      \
    "新しい URL リストのファイルを使い始めた。")                               \
EVENT(LISTS_REFUSED, "lists_refused", ERROR,                                   \
    "A new file of URL lists is broken; the one before stays.",                \
    "新しい URL リストのファイルが壊れている。前のものを使い続ける。")         \
EVENT(DRAINED, "drained", NOTICE,                                              \
    "A former generation finished its last connection.",                       \
    "前の世代が最後の接続を終えた。")                                          \
EVENT(EXCHANGE, "exchange", INFO, "One request and its answer.",               \
    "要求とその応答の一往復。")                                                \
EVENT(TUNNEL, "tunnel", INFO, "One tunnel (CONNECT or Upgrade) ended.",        \
    "トンネル（CONNECT または Upgrade）が終わった。")                          \
EVENT(FOUND, "found", NOTICE,                                                  \
    "An inspection found something in a body or a query: way, rule and"        \
    " verdict say where and what follows; of dlp kind, counts and keyed"       \
    " hashes, never a number.",                                                \
    "本文またはクエリの検査で見つかったもの。way・rule・verdict がどこで・" \
    "何が・どうなったか。dlp では種類と数と鍵付きハッシュ（番号は書かない）。")                                                                         \
EVENT(CANARY_SEEN, "canary_seen", ALERT,                                       \
    "A registered canary was seen: canary is its name, way where. Its data"    \
    " has left where it must stay; an incident of the highest degree follows.",\
    "登録したおとりが見つかった。canary が名前、way が場所。あるべき所からデータが"    \
    "出ている。最も重い事案が続く。")                                           \
EVENT(DETOXED, "detoxed", NOTICE,                                              \
    "A file was made harmless on its way, or refused: result, refusal and"     \
    " removed say what became of it, in_sha256 and out_sha256 which it was.",  \
    "途中のファイルを無害化した、または拒否した。result・refusal・removed が結果、"   \
    "in_sha256・out_sha256 が元と後のファイルを示す。")                          \
EVENT(MAIL, "mail", INFO,                                                      \
    "A mail was answered: delivered to the next hop, kept in the spool, had"   \
    " before (repeated), or refused; id is its number in all lines on it.",    \
    "メールに返答した（次の中継先へ配送、スプールに保管、前に受領済み、拒否）" \
    "。id が以後の行の mail になる。")                                         \
EVENT(MAIL_VERDICT, "mail_verdict", INFO,                                      \
    "What rspamd says of a mail that the spool had acknowledged before, and"   \
    " what became of it: result, action, score, spf, dkim, dmarc, arc,"        \
    " symbols; why: no verdict was had.",                                      \
    "スプールが先に受け付けたメールの rspamd の判定と扱い。result・action・"   \
    "score・spf・dkim・dmarc・arc・symbols。why は判定が得られない理由。")     \
EVENT(MAIL_RECIPIENT, "mail_recipient", INFO,                                  \
    "What became of one recipient of a mail: result, the next hop's reply"     \
    " and who it is.",                                                         \
    "メールの宛先ひとつの結果。result と次の中継先の返答、相手。")             \
EVENT(MAIL_REFUSED, "mail_refused", NOTICE,                                    \
    "A sender, a recipient or a content was refused; rule, file and line say"  \
    " why.",                                                                   \
    "送信者・宛先・本文を拒否した。rule・file・line が理由。")                 \
EVENT(MAIL_DETOXED, "mail_detoxed", NOTICE,                                    \
    "A mail was made harmless for one route, or refused: result, refusal and"  \
    " removed say what became of it.",                                         \
    "メールを経路ごとに無害化した、または拒否した。result・refusal・removed "  \
    "が結果。")                                                                \
EVENT(MAIL_FLOOD, "mail_flood", WARN,                                          \
    "A sender of a body passed a limit of an hour: its mailbox may be taken"   \
    " over. Its mail is held until the hour is over; told once an hour.",      \
    "構成団体の送信者が一時間の上限を超えた。メールボックスを乗っ取られたおそれがある。" \
    "その時間のメールは保留する。一時間に一度だけ記す。")                      \
EVENT(MAIL_POLICY_MISSING, "mail_policy_missing", WARN,                        \
    "A domain says that it has an MTA-STS policy, which could not be had:"     \
    " text has the domain and why. One that was known stays in force.",        \
    "宛先ドメインの MTA-STS ポリシーを取得できない。text がドメインと理由。"   \
    "以前のポリシーがあれば有効なまま。")                                      \
EVENT(MAIL_UNLOCK, "mail_unlock", NOTICE,                                      \
    "A password was tried for a mail that waits for one, or its time is over;" \
    " result says what came of it. The password is never written.",            \
    "パスワード待ちのメールにパスワードを試した、または期限が過ぎた。result "  \
    "が結果。パスワードは書かない。")                                          \
EVENT(MAIL_ORDER, "mail_order", NOTICE,                                        \
    "An administrator ordered something about a mail in the spool.",           \
    "管理者がスプールのメールに指示した。")                                    \
EVENT(ORIGINAL_KEPT, "mail_original_kept", INFO,                               \
    "The original of a mail that was changed or refused is kept, encrypted;"   \
    " original is its number.",                                                \
    "変えた、または拒否したメールの原本を暗号化して残した。original がその"    \
    "番号。")                                                                  \
EVENT(ORIGINAL_LOST, "mail_original_lost", ERROR,                              \
    "The original of a mail could not be kept, and the mail went on.",         \
    "メールの原本を残せないまま配送した。")                                    \
EVENT(ORIGINAL_SHOWN, "mail_original_shown", NOTICE,                           \
    "An administrator looked at an original; by says who.",                    \
    "管理者が原本を見た。by が誰か。")                                         \
EVENT(ORIGINAL_ASKED, "mail_original_asked", NOTICE,                           \
    "Somebody asks for an original's release; by says who.",                   \
    "原本の放出が申請された。by が申請者。")                                   \
EVENT(ORIGINAL_APPROVED, "mail_original_approved", NOTICE,                     \
    "Another person approved the release that by asked for.",                  \
    "by が申請した原本の放出を approved_by が承認した。")                      \
EVENT(ORIGINAL_REFUSED, "mail_original_refused", NOTICE,                       \
    "Who ordered it may not release that original: who asked for it does not"  \
    " approve it, nor does root that is nobody in particular.",                \
    "放出の申請・承認を退けた（申請者自身の承認、誰か分からない root）。")     \
EVENT(ORIGINAL_RELEASED, "mail_original_released", NOTICE,                     \
    "An original was given to the spool as it came, as the mail released_as.", \
    "原本をそのままスプールに渡した。released_as がそのメールの番号。")        \
EVENT(ORIGINAL_DELETED, "mail_original_deleted", NOTICE,                       \
    "An administrator deleted an original; by says who.",                      \
    "管理者が原本を削除した。by が誰か。")                                     \
EVENT(ORIGINAL_EXPIRED, "mail_original_expired", INFO,                         \
    "The time of an original was over; it was deleted.",                       \
    "保管期間が過ぎた原本を削除した。")                                        \
EVENT(HANDOVER_GIVEN, "handover_given", NOTICE,                                \
    "A file was handed over, made harmless and kept: number, way, giver, the"  \
    " digests before and after, what was removed.",                            \
    "ファイルの受け渡しを受け付けた。number・way・giver・前後のダイジェスト・" \
    "removed。")                                                               \
EVENT(HANDOVER_REFUSED, "handover_refused", NOTICE,                            \
    "A file was not handed over: refusal and why.",                            \
    "ファイルの受け渡しを拒否した。refusal・why が理由。")                     \
EVENT(HANDOVER_APPROVED, "handover_approved", NOTICE,                          \
    "A second person approved it; by says who.",                               \
    "二人目の人が受け渡しを承認した。by が誰か。")                             \
EVENT(HANDOVER_DECLINED, "handover_declined", NOTICE,                          \
    "A second person did not approve it; it is deleted.",                      \
    "二人目の人が受け渡しを承認しなかった。削除した。")                        \
EVENT(HANDOVER_PASSED, "handover_passed", NOTICE,                              \
    "A file crossed: it was fetched (by: who), or delivered to a folder.",     \
    "ファイルが区域を越えた（受け取った端末が by、フォルダーへの配達は out）。")\
EVENT(HANDOVER_DELETED, "handover_deleted", NOTICE,                            \
    "An administrator deleted what waited; by says who.",                      \
    "管理者が受け取り待ちのファイルを削除した。by が誰か。")                   \
EVENT(HANDOVER_EXPIRED, "handover_expired", INFO,                              \
    "Its time was over; it was deleted.",                                      \
    "受け取れる期間が過ぎたファイルを削除した。")                              \
EVENT(CONTINUED, "continued", NOTICE,                                          \
    "A user went on where a rule warns; text is the reason given.",            \
    "規則の警告を確認して利用者が先へ進んだ。text は入力された理由。")         \
EVENT(RELEASED, "released", NOTICE,                                            \
    "A user said why what a rule blocks is needed; it is open for a time.",    \
    "規則が遮断する宛先を、理由を入力した利用者に一時的に解除した。")          \
EVENT(ASKED, "release_asked", NOTICE,                                          \
    "A user asked for a release that an administrator must approve.",          \
    "管理者の承認が要る一時解除を利用者が申請した。")                          \
EVENT(REFUSED, "connection_refused", NOTICE,                                   \
    "A connection was refused before any request was judged.",                 \
    "要求を判定する前に接続を拒否した。")                                      \
EVENT(MISBEHAVED, "connection_ended", NOTICE,                                 \
    "A client's or an origin's HTTP/2 connection was ended: what it sent is"   \
    " no HTTP/2, or a flood.",                                                 \
    "端末または宛先の HTTP/2 接続を終了した。HTTP/2 として誤りか、大量の無駄な" \
    "送信。")                                                                  \
EVENT(TLS_FAILED, "tls_failed", NOTICE,                                        \
    "TLS with the client did not come about.",                                 \
    "端末との TLS が成立しなかった。")                                         \
EVENT(DROPPED, "dropped", ERROR,                                               \
    "Log lines that found the queue full; count says how many.",               \
    "待ち行列が満杯で失われたログ行。count が行数。")                          \
EVENT(MALFORMED, "malformed", ERROR,                                           \
    "A process sent the journal something that is no line.",                   \
    "プロセスがログ行でないものを送った。")                                    \
EVENT(ROTATED, "rotated", NOTICE, "The journal file was opened anew.",         \
    "ログファイルを開き直した。")                                              \
EVENT(INCIDENT, "incident", ALERT,                                             \
    "An incident began: an address of a My Number segment tried something but" \
    " the gate, or what must never be seen was seen. number tells it apart,"   \
    " where is the system or segment, how, protocol, from, to and what are"    \
    " the evidence; its systems are suspended.",                               \
    "事案が始まった。マイナンバー利用事務系のアドレスが関門以外へ通信を試みた、または" \
    "あってはならないものを検知した。number が事案番号、where がシステムまたはセグメント、" \
    "how・protocol・from・to・what が証拠。該当システムの分離確認は停止した。")  \
EVENT(INCIDENT_MORE, "incident_more", ALERT,                                   \
    "The incident goes on; count is how often so far. Told once a minute.",    \
    "事案が続いている。count がこれまでの回数。一分に一度だけ記す。")          \
EVENT(INCIDENT_OVER, "incident_over", NOTICE,                                  \
    "The incident is over: nothing came for ten minutes, or its system was"    \
    " restored. What was suspended stays so until it is restored.",            \
    "事案が終わった（十分間何もない、またはシステムを復帰した）。停止は復帰まで続く。") \
EVENT(SUSPENDED, "separation_suspended", ALERT,                                \
    "A system is separated no more, until a person restores it: incident or"   \
    " by says why.",                                                           \
    "システムの分離確認を停止した。復帰の指示まで続く。incident または by が理由。") \
EVENT(RESTORED, "separation_restored", NOTICE,                                 \
    "A person restored a suspended system on a new statement; by says who,"    \
    " text why.",                                                              \
    "新しい分離確認書により停止を解いた。by が指示者、text が理由。")          \
EVENT(SEPARATION_REFUSED, "separation_refused", NOTICE,                        \
    "An administrator's order about a system's separation was refused; text"   \
    " says why.",                                                              \
    "システムの分離についての管理者の指示を拒否した。text が理由。")           \
EVENT(STATEMENT_REFUSED, "statement_refused", WARN,                            \
    "A file among the separation statements does not count: it has not the"    \
    " form, or no auditor's key signed it.",                                   \
    "分離確認書のうち数えないファイル（形式の誤り、または監査者の署名でない）。") \
EVENT(PROBE_FAILED, "probe_failed", ALERT,                                     \
    "The probe of a system reached what it must not reach; it is separated no" \
    " more until a probe is good again.",                                      \
    "システムの探査が、届いてはならない先に届いた。次の合格まで分離を認めない。") \
EVENT(PROBE_GOOD, "probe_good", NOTICE,                                        \
    "The probe of a system is good again, or for the first time.",             \
    "システムの探査が合格に戻った（または初めて合格した）。")                  \
EVENT(CLOCK_BACK, "clock_set_back", ERROR,                                     \
    "The machine's clock is behind the latest time known, by behind_s; the"    \
    " time of statements goes on from that.",                                  \
    "計算機の時計が既知の最新時刻より behind_s 秒遅れている。分離確認書の時刻は" \
    "既知の時刻から進める。")                                                  \
EVENT(CLOCK_SET, "clock_taken", ALERT,                                         \
    "A person says that the machine's clock is right although it is behind"    \
    " the latest time known; by says who, text why.",                          \
    "既知の最新時刻より遅れた計算機の時計を、正しいものとする指示。by が指示者、text が" \
    "理由。")                                                                  \
EVENT(REGISTER_DAMAGED, "register_damaged", ALERT,                             \
    "The file of suspensions is not what was written there: it was put aside," \
    " every system is suspended, and no statement signed before counts.",      \
    "停止の記録ファイルが書いたものと異なる。退避し、全システムを停止した。以前に" \
    "署名された分離確認書は無効。")                                            \
EVENT(CROSSING_OPENED, "crossing_opened", INFO,                                \
    "A separated system's connection to the provision network was opened;"     \
    " crossing is its number, head the hash of its line in the crossing log,"  \
    " which is on the disk.",                                                  \
    "分離済みシステムから情報提供ネットワークへの通過が始まった。crossing が番号、" \
    "head が通過記録の行のハッシュ（ディスクに書き込み済み）。")               \
EVENT(CROSSING_ENDED, "crossing_ended", INFO,                                  \
    "A crossing ended: up and down are its bytes from and to the system, why"  \
    " says what ended it.",                                                    \
    "通過が終わった。up・down がシステムからとシステムへのバイト数、why が理由。") \
EVENT(CROSSINGS_KEPT, "crossings_kept", INFO,                                  \
    "The crossing log is on the disk with the ends of crossings of the last"   \
    " second; head is the hash of its last line.",                             \
    "直前の一秒に終わった通過の記録をディスクに書き込んだ。head が通過記録の最後の" \
    "行のハッシュ。")                                                          \
EVENT(CROSSING_REFUSED, "crossing_refused", WARN,                              \
    "The gate refused a connection, and nothing passed; why says the reason."  \
    " untold counts refusals before it that were too many to tell.",           \
    "関門が接続を拒否した。何も通していない。why が理由。untold は多すぎて記さ" \
    "なかったそれまでの拒否の数。")                                            \
EVENT(ISOLATION_APPLIED, "isolation_applied", NOTICE,                          \
    "The kernel was given the rules of the isolation, or they were removed"    \
    " as the settings say; text says which.",                                  \
    "カーネルに分離の規則を読み込ませた、または設定により取り除いた。text に内容がある。") \
EVENT(ISOLATION_DRIFT, "isolation_drift", ERROR,                               \
    "The kernel's rules were not those of the settings; text says what"        \
    " differed first. They are loaded anew at once.",                          \
    "カーネルの規則が設定と異なっていた。text に最初の相違がある。直ちに読み込み直す。") \
EVENT(ISOLATION_CLOSED, "isolation_closed", ALERT,                             \
    "No system may use the gate until the kernel holds the rules and tripwires" \
    " are read; text says why.",                                               \
    "カーネルが規則を持ち仕掛け線を読めるまで、どのシステムも関門を使えない。text が理由。") \
EVENT(FAILURE, "failure", ERROR, "Something failed; text says what.",          \
    "障害。text に内容がある。")
/* clang-format on */

enum log_event {
#define EVENT_ENUM(symbol, name, level, en, ja) EVENT_##symbol,
	EVENTS(EVENT_ENUM)
#undef EVENT_ENUM
	EVENT_COUNT
};

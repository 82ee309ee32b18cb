/* SPDX-License-Identifier: Apache-2.0 */
/* Behind libnetfilter_log: netlink's messages of nfnetlink_log. */
#include <errno.h>
#include <fcntl.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "proxy/tripwire/tripwire.h"

#define MESSAGE_MAX 65536 /* several packets; the kernel's are smaller */
#define QUEUE_MAX (4 << 20)

struct kernel_log {
	struct nflog_handle *handle;
	struct nflog_g_handle *group;
	void (*packet)(void *owner, struct bytes b);
	void *owner;
};

static int
take(struct nflog_g_handle *group, struct nfgenmsg *m, struct nflog_data *data,
    void *own)
{
	struct kernel_log *l = own;
	char *p = NULL;
	int n = nflog_get_payload(data, &p);

	(void)group;
	(void)m;
	if (n > 0 && p != NULL)
		l->packet(
		    l->owner, (struct bytes){ (const uint8_t *)p, (size_t)n });
	return 0;
}

static int
bind_group(struct kernel_log *l, uint16_t group, size_t bytes, struct err *e)
{
	const int queue = QUEUE_MAX;
	int fd = nflog_fd(l->handle);

	l->group = nflog_bind_group(l->handle, group);
	if (l->group == NULL)
		return err_set(e,
		    "NFLOG group %u cannot be read, expected no other program"
		    " that does: %m",
		    group);
	nflog_callback_register(l->group, take, l);
	/* Each packet at once: a hundredth of a second is the least. */
	if (nflog_set_mode(l->group, NFULNL_COPY_PACKET, (unsigned)bytes) < 0 ||
	    nflog_set_qthresh(l->group, 1) < 0 ||
	    nflog_set_timeout(l->group, 1) < 0)
		return err_set(e, "NFLOG group %u: %m", group);
	/* More than the default; what is given is enough for a while. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)) <
	    0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof(queue));
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(e, "NFLOG group %u: %m", group);
	return 0;
}

struct kernel_log *
kernel_log_open(uint16_t group, size_t bytes, struct err *e)
{
	struct kernel_log *l = calloc(1, sizeof(*l));

	must(l != NULL);
	l->handle = nflog_open();
	if (l->handle == NULL) {
		err_set(e, "NFLOG cannot be read: %m");
		free(l);
		return NULL;
	}
	if (bind_group(l, group, bytes, e) == 0)
		return l;
	kernel_log_free(l);
	return NULL;
}

void
kernel_log_free(struct kernel_log *l)
{
	if (l == NULL)
		return;
	if (l->group != NULL)
		nflog_unbind_group(l->group);
	nflog_close(l->handle);
	free(l);
}

int
kernel_log_fd(const struct kernel_log *l)
{
	return nflog_fd(l->handle);
}

int
kernel_log_read(struct kernel_log *l,
    void (*packet)(void *owner, struct bytes b), void *owner)
{
	static char message[MESSAGE_MAX]
	    __attribute__((aligned(__BIGGEST_ALIGNMENT__)));
	ssize_t n =
	    recv(nflog_fd(l->handle), message, sizeof(message), MSG_DONTWAIT);

	if (n < 0)
		return errno == ENOBUFS ? -1 : 0;
	l->packet = packet;
	l->owner = owner;
	nflog_handle_packet(l->handle, message, (int)n);
	return 1;
}

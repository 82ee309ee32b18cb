/* SPDX-License-Identifier: Apache-2.0 */
/* jpeg: the coefficients in a new file (libjpeg's "transcoding"). */
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include "filters/image/image.h"
#include "filters/image/inside.h"
#include "filters/image/jpeg.h"

#define OUT_SIZE ((size_t)65536)
/* Each goes through the whole picture, which some few bytes can ask for. */
#define SCANS_MAX 200
/* What 8 bits give, and the coder can write. */
#define COEFFICIENT_MAX 1023

struct work {
	struct jpeg_error_mgr error; /* first: libjpeg knows it alone */
	struct jpeg_progress_mgr progress;
	struct jpeg_source_mgr from;
	struct jpeg_destination_mgr to;
	struct jpeg_decompress_struct in;
	struct jpeg_compress_struct out;
	jmp_buf escape;
	struct detox *d;
	struct bytes content;
	const struct jpeg_markers *markers;
	struct detox_output *output;
	jvirt_barray_ptr *coefficients;
	bool nothing; /* the data ended before a row was there */
	uint8_t room[OUT_SIZE];
};

static struct work *
work_of(j_common_ptr j)
{
	return CONTAINER(j->err, struct work, error);
}

static void
on_error(j_common_ptr j)
{
	struct work *w = work_of(j);

	/* The numbers are in jerror.h alone, with calls that are banned. */
	if (strncmp(j->err->jpeg_message_table[j->err->msg_code],
		"Insufficient memory", 19) == 0)
		(void)detox_refuse(
		    w->d, REFUSED_MEMORY, "a JPEG that needs too much memory");
	else
		(void)detox_refuse(w->d, REFUSED_BROKEN,
		    "a JPEG that libjpeg refuses (code %d)", j->err->msg_code);
	longjmp(w->escape, 1);
}

static void
on_message(j_common_ptr j, int level)
{
	if (level < 0)
		j->err->num_warnings++;
}

static void
print_nothing(j_common_ptr j)
{
	(void)j;
}

static void
on_progress(j_common_ptr j)
{
	struct work *w = work_of(j);

	if (w->in.input_scan_number <= SCANS_MAX)
		return;
	(void)detox_refuse(
	    w->d, REFUSED_BROKEN, "a JPEG of more than %d scans", SCANS_MAX);
	longjmp(w->escape, 1);
}

static void
do_nothing(j_decompress_ptr j)
{
	(void)j;
}

/* The data is over: as libjpeg's own source does, it ends here. */
static boolean
fill_input(j_decompress_ptr j)
{
	static const JOCTET end[] = { 0xff, JPEG_EOI };
	struct work *w = work_of((j_common_ptr)j);

	w->error.num_warnings++;
	/* It reads ahead of what it decodes, so one row may be whole. */
	if (j->input_scan_number <= 1 && j->input_iMCU_row == 0 &&
	    j->total_iMCU_rows > 1)
		w->nothing = true;
	j->src->next_input_byte = end;
	j->src->bytes_in_buffer = sizeof(end);
	return TRUE;
}

static void
skip_input(j_decompress_ptr j, long n)
{
	size_t left = j->src->bytes_in_buffer;

	if (n > 0 && (size_t)n <= left) {
		j->src->next_input_byte += n;
		j->src->bytes_in_buffer -= (size_t)n;
	} else if (n > 0) {
		(void)fill_input(j);
	}
}

static void
begin_output(j_compress_ptr j)
{
	struct work *w = work_of((j_common_ptr)j);

	w->to.next_output_byte = w->room;
	w->to.free_in_buffer = OUT_SIZE;
}

static void
put(struct work *w, size_t n)
{
	if (detox_put(w->d, w->output, (struct bytes){ w->room, n }) ==
	    DETOX_REFUSED)
		longjmp(w->escape, 1);
}

static boolean
empty_output(j_compress_ptr j)
{
	struct work *w = work_of((j_common_ptr)j);

	put(w, OUT_SIZE);
	begin_output(j);
	return TRUE;
}

static void
end_output(j_compress_ptr j)
{
	struct work *w = work_of((j_common_ptr)j);

	put(w, OUT_SIZE - w->to.free_in_buffer);
}

static void
init(struct work *w)
{
	w->in.err = w->out.err = jpeg_std_error(&w->error);
	w->error.error_exit = on_error;
	w->error.emit_message = on_message;
	w->error.output_message = print_nothing;
	w->progress.progress_monitor = on_progress;
	w->from.next_input_byte = w->content.p;
	w->from.bytes_in_buffer = w->content.n;
	w->from.init_source = w->from.term_source = do_nothing;
	w->from.fill_input_buffer = fill_input;
	w->from.skip_input_data = skip_input;
	w->from.resync_to_restart = jpeg_resync_to_restart;
	w->to.init_destination = begin_output;
	w->to.empty_output_buffer = empty_output;
	w->to.term_destination = end_output;
}

static bool
read_head(struct work *w)
{
	if (setjmp(w->escape) != 0)
		return false;
	jpeg_create_decompress(&w->in);
	w->in.progress = &w->progress;
	w->in.src = &w->from;
	jpeg_read_header(&w->in, TRUE);
	return true;
}

static bool
read_coefficients(struct work *w)
{
	if (setjmp(w->escape) != 0)
		return false;
	w->coefficients = jpeg_read_coefficients(&w->in);
	return true;
}

static void
clamp_block(JCOEFPTR block)
{
	JCOEF least = -COEFFICIENT_MAX - 1; /* black, in the first alone */

	for (size_t i = 0; i < DCTSIZE2; i++) {
		if (block[i] > COEFFICIENT_MAX)
			block[i] = COEFFICIENT_MAX;
		else if (block[i] < least)
			block[i] = least;
		least = -COEFFICIENT_MAX;
	}
}

/* Broken data may decode to more than can be written. */
static void
clamp(struct work *w, int component)
{
	const jpeg_component_info *c = &w->in.comp_info[component];
	JBLOCKARRAY rows;

	for (JDIMENSION y = 0; y < c->height_in_blocks; y++) {
		rows = w->in.mem->access_virt_barray((j_common_ptr)&w->in,
		    w->coefficients[component], y, 1, TRUE);
		for (JDIMENSION x = 0; x < c->width_in_blocks; x++)
			clamp_block(rows[0][x]);
	}
}

/* What says which colours these are, and how they are to be turned. */
static void
write_markers(struct work *w)
{
	uint8_t exif[6 + IMAGE_EXIF_SIZE] = "Exif";

	if (w->markers->exif.orientation != 1) {
		image_exif_write(exif + 6, w->markers->exif.orientation);
		jpeg_write_marker(
		    &w->out, JPEG_APP0 + 1, exif, (unsigned)sizeof(exif));
	}
	if (w->markers->icc.n > 0)
		jpeg_write_icc_profile(
		    &w->out, w->markers->icc.p, (unsigned)w->markers->icc.n);
}

/* Where JFIF says nothing, EXIF may. */
static void
set_density(struct work *w)
{
	const struct image_exif *e = &w->markers->exif;

	if (w->in.saw_JFIF_marker && w->in.density_unit <= 2) {
		w->out.density_unit = w->in.density_unit;
		w->out.X_density = w->in.X_density;
		w->out.Y_density = w->in.Y_density;
	} else if (e->unit != IMAGE_NO_UNIT) {
		w->out.density_unit = e->unit == IMAGE_INCH ? 1 : 2;
		w->out.X_density = e->x;
		w->out.Y_density = e->y;
	}
}

static void
set_parameters(struct work *w)
{
	jpeg_copy_critical_parameters(&w->in, &w->out);
	w->out.optimize_coding = !w->in.arith_code;
	w->out.arith_code = w->in.arith_code;
	if (w->in.progressive_mode)
		jpeg_simple_progression(&w->out);
	set_density(w);
	/* With it CMYK is understood as inverted. */
	if (w->in.jpeg_color_space == JCS_CMYK)
		w->out.write_Adobe_marker = w->in.saw_Adobe_marker;
}

static bool
write_all(struct work *w)
{
	if (setjmp(w->escape) != 0)
		return false;
	for (int i = 0; i < w->in.num_components; i++)
		clamp(w, i);
	jpeg_create_compress(&w->out);
	w->out.dest = &w->to;
	set_parameters(w);
	jpeg_write_coefficients(&w->out, w->coefficients);
	write_markers(w);
	jpeg_finish_compress(&w->out);
	return true;
}

static const char *
space_of(const struct work *w)
{
	switch (w->in.num_components) {
	case 1:
		return "GRAY";
	case 3:
		return "RGB ";
	case 4:
		return "CMYK";
	}
	return "";
}

static enum detox_result
judge_damage(struct work *w)
{
	if (w->nothing)
		return detox_refuse(w->d, REFUSED_BROKEN,
		    "a JPEG that ends before its picture");
	if (w->error.num_warnings > 0)
		detox_removed(w->d, REMOVED_DAMAGED, "picture data", BYTES(""));
	return DETOX_REBUILT;
}

static enum detox_result
copy(struct work *w, struct jpeg_markers *m)
{
	struct jpeg_decompress_struct *in = &w->in;

	if (!read_head(w) ||
	    detox_pixels(w->d, in->image_width, in->image_height, 1) ==
		DETOX_REFUSED ||
	    !read_coefficients(w) || judge_damage(w) == DETOX_REFUSED)
		return DETOX_REFUSED;
	jpeg_markers_read(w->d, m, w->content, space_of(w));
	return !detox_is_over(w->d) && write_all(w) ? DETOX_REBUILT
						    : DETOX_REFUSED;
}

static enum detox_result
rebuild(struct detox *d, const struct detox_object *o, struct detox_output *out)
{
	/* Not the job's: a document may have thousands of pictures. */
	struct arena a = { 0 };
	struct jpeg_markers *m = ARENA_NEW(&a, struct jpeg_markers);
	struct work *w = ARENA_NEW(&a, struct work);
	enum detox_result result;

	w->d = d;
	w->content = o->content;
	w->output = out;
	w->markers = m;
	init(w);
	result = copy(w, m);
	if (w->out.mem != NULL)
		jpeg_destroy_compress(&w->out);
	if (w->in.mem != NULL)
		jpeg_destroy_decompress(&w->in);
	jpeg_markers_release(m);
	arena_release(&a);
	return image_judge(d, result, out);
}

const struct detox_format jpeg_format = {
	.name = "jpeg",
	.types = MAGIC_BIT(MAGIC_JPEG),
	.rebuild = rebuild,
	.out_types = MAGIC_BIT(MAGIC_JPEG),
};

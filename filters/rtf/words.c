/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/rtf/words.h"

#include <stdlib.h>

#define GONE(removal) (enum word_rule)(WORD_GONE + (int)REMOVED_##removal)
#define WORDS_MAX 1200

/* RTF 1.9.1, in its chapters' order; lists of words with blanks between. */
static const struct {
	enum word_rule rule;
	const char *words;
} rules[] = {
	/* Destinations. */
	{ WORD_FONTS, "fonttbl" },
	{ WORD_HIDDEN_TEXT,
	    "falt panose fname colortbl stylesheet keycode listtable list"
	    " listlevel listname liststylename listpicture listoverridetable"
	    " listoverride lfolevel pnseclvl pntxta pntxtb revtbl latentstyles"
	    " lsdlockedexcept pgptbl pgp defchp defpap bkmkstart bkmkend atnid"
	    " atnauthor atnref atndate atntime atnicn atnparent atrfstart"
	    " atrfend ebcstart ebcend fchars lchars pgdsctbl background shp"
	    " shpinst shpgrp do upr pn tc xe rxe txe mmathPr"
	    " hyphen" },
	{ WORD_TEXT,
	    "header headerf headerl headerr footer footerf footerl footerr"
	    " footnote ftnsep ftnsepc ftncn aftnsep aftnsepc aftncn shptxt"
	    " dptxbxtext annotation ud listtext pntext shppict mmath moMath"
	    " moMathPara moMathParaPr macc maccPr mbar mbarPr mborderBox"
	    " mborderBoxPr mbox mboxPr md mdPr mdeg mden me meqArr meqArrPr mf"
	    " mfName mfPr mfunc mfuncPr mgroupChr mgroupChrPr mlim mlimLow"
	    " mlimLowPr mlimUpp mlimUppPr mm mmPr mmc mmcPr mmcs mmr mnary"
	    " mnaryPr mnum mphant mphantPr mr mrPr mrad mradPr msPre msPrePr"
	    " msSub msSubPr msSubSup msSubSupPr msSup msSupPr msub msup"
	    " mctrlPr margPr" },
	{ WORD_HIDDEN_TEXT,
	    "margSz maln malnScr mbaseJc mbegChr mbrk mbrkBin mbrkBinSub"
	    " mcGp mcGpRule mcSp mchr mcount mdefJc mdegHide mdiff mdiffSty"
	    " mdispdef mdispDef mendChr mgrow mhideBot mhideLeft mhideRight"
	    " mhideTop minterSp mintLim mintraSp mjc mlimLoc mlit mlMargin"
	    " mmathFont mmaxDist mmcJc mnaryLim mnoBreak mnor mobjDist mopEmu"
	    " mplcHide mpos mpostSp mpreSp mrMargin mrSp mrSpRule mscr msepChr"
	    " mshow mshp msmallFrac mstrikeBLTR mstrikeH mstrikeTLBR mstrikeV"
	    " msty msubHide msupHide mtransp mtype mvertJc mwrapIndent"
	    " mwrapRight mzeroAsc mzeroDesc mzeroWid mcGpRule" },
	{ WORD_LEVEL, "leveltext levelnumbers" },
	{ WORD_FIELD, "field" },
	{ WORD_INSTRUCTION, "fldinst" },
	{ WORD_RESULT_OF_FIELD, "fldrslt" },
	{ WORD_FORM_FIELD, "formfield" },
	{ WORD_HIDDEN_TEXT,
	    "ffname ffdeftext ffformat ffhelptext ffstattext ffl" },
	{ WORD_OBJECT, "object" },
	{ WORD_RESULT_OF_OBJECT, "result" },
	{ WORD_PICTURE, "pict" },
	{ WORD_PROPERTY, "sp" },
	{ WORD_INFO,
	    "info title subject author manager company operator category"
	    " keywords comment doccomm creatim revtim printim buptim" },
	/* Each stands there twice; this is the one for old readers. */
	{ WORD_SILENT,
	    "nonshppict shprslt blipuid picprop blipuid mmathPict sn sv" },
	{ WORD_SILENT, "generator rsidtbl wgrffmtfilter" },
	{ GONE(OBJECT),
	    "objdata objclass objname objtime objalias objsect objitem"
	    " objtopic oleclsid svb" },
	{ GONE(EXTERNAL), "template filetbl file subdocument nextfile" },
	{ GONE(CONNECTION),
	    "mailmerge mmconnectstr mmconnectstrdata mmdatasource"
	    " mmheadersource mmodso mmodsofldmpdata mmodsofilter"
	    " mmodsomappedname mmodsoname mmodsorecipdata mmodsosort mmodsosrc"
	    " mmodsotable mmodsoudl mmodsoudldata mmodsouniquetag mmquery"
	    " mmaddfieldname mmmailsubject" },
	{ GONE(METADATA),
	    "userprops propname staticval linkval hlinkbase protusertbl" },
	{ GONE(CUSTOM),
	    "datastore themedata colorschememapping datafield docvar private"
	    " passwordhash password writereservation writereservhash xmlnstbl"
	    " xmlns xmlopen xmlclose xmlname xmlattrname xmlattrvalue"
	    " xmlattrns factoidname htmltag mhtmltag htmlbase urtf"
	    " gridtbl oldcprops oldpprops oldsprops oldtprops" },
	{ GONE(FONT), "fontemb fontfile" },
	{ GONE(MACRO), "ffentrymcr ffexitmcr" },
	{ GONE(LINK), "hl hlfr hlloc hlsrc" },
	{ GONE(FIELD), "fldtype" },
	/* Words of a meaning of their own. */
	{ WORD_FONT, "f" },
	{ WORD_CHARSET, "fcharset" },
	{ WORD_CODEPAGE, "ansicpg" },
	{ WORD_UNICODE, "u" },
	{ WORD_SKIPS, "uc" },
	{ WORD_COUNT, "listoverridecount" },
	/* Their work is done, or has nothing left to work on. */
	{ WORD_IGNORED,
	    "bin rtf fromhtml fromtext htmlrtf objemb objlink objautlink objsub"
	    " objpub objicemb objhtml objocx objw objh objsetsize objalign"
	    " objtransy objcropt objcropb objcropl objcropr objscalex"
	    " objscaley objattph objupdate objlock rsltrtf rsltpict rsltbmp"
	    " rslttxt rslthtml rsltmerge flddirty fldedit fldlock fldpriv"
	    " fldalt linkself linkstyles saveinvalidxml ignoremixedcontent"
	    " validatexml showplaceholdtext trackmoves trackformatting"
	    " rsidroot donotembedsysfont donotembedlingdata forceupgrade"
	    " readonlyrecommended stylelock doctemp fldinstruction"
	    " dfrxst dfrstart dfrstop dfrauth dfrdate" },
	{ WORD_PLAIN,
	    /* Header, fonts, colours, styles. */
	    "ansi mac pc pca deff adeff stshfdbch stshfloch stshfhich stshfbi"
	    " deflang deflangfe adeflang fbias fprq fnil froman fswiss fmodern"
	    " fscript fdecor ftech fbidi cpg red green blue cmaindarkone"
	    " cmainlightone cmaindarktwo cmainlighttwo caccentone caccenttwo"
	    " caccentthree caccentfour caccentfive caccentsix chyperlink"
	    " cfollowedhyperlink cbackgroundone ctextone cbackgroundtwo"
	    " ctexttwo ctint cshade s cs ds ts tsrowd additive sbasedon snext"
	    " sautoupd shidden slink slocked spersonal scompose sreply styrsid"
	    " ssemihidden sunhideused sqformat spriority alt shift ctrl fn"
	    " flomajor fhimajor fdbmajor fbimajor flominor fhiminor fdbminor"
	    " fbiminor ls ilvl lfolevel"
	    /* Document. */
	    " deftab hyphhotz hyphconsec hyphcaps hyphauto linestart fracwidth"
	    " makebackup muser defformat psover doctype ilfomacatclnup"
	    " horzdoc vertdoc jcompress jexpand lnongrid grfdocevents"
	    " themelang themelangfe themelangcs relyonvml validatexml viewkind"
	    " viewscale viewzk viewbksp vieww viewh pardirnatural psz private "
	    "fet ftnbj ftntj endnotes"
	    " enddoc aendnotes aenddoc aftnbj aftntj paperw paperh margl margr"
	    " margt margb facingp gutter ogutter rtlgutter gutterprl margmirror"
	    " landscape widowctrl twoonone bookfold bookfoldrev"
	    " bookfoldsheets revisions revprop revbar rempersonalinfo"
	    " allprot annotprot formprot formshade formdisp readprot revprot"
	    " enforceprot protlevel nouicompat nocompatoptions "
	    "nofeaturethrottle"
	    " noqfpromote asianbrkrule ApplyBrkRules wptab wpjst wpsp wpeqn"
	    " wraptrsp truex truncatefontheight transmf swpbdr subfontbysize"
	    " splytwnine sprstsp sprslnsp sprsspbf sprsbsp sprstsm sprsbsp"
	    " spltpgpar sprsspbf snaptogridincell showxmlerrors rawclbgdv"
	    " prcolbl printdata ptextonly otblrul oldas oldlinewrap oldreserved"
	    " nolnhtadjtbl nolead nogrowautofit noxlattoyen noultrlspc"
	    " notvatxbx nospaceforul notabind notcvasp notbrkcnstfrctbl"
	    " noindnmbrts nocxsptable nocolbal nobrkwrptbl noafcnsttbl"
	    " noextrasprl noafhangmt nojkernpunct nobrkwrptbl newtblstyruls"
	    " nafterautospace msmcap lytprtmet lytexcttp lytcalctblwd"
	    " lyttblrtgr lnbrkrule krnprsnet jsksu jclisttab indrlsweleven"
	    " htmautsp hwelev hrule felnbrelev expshrtn dntblnsbdb cvmme"
	    " cachedcolbal bdrrlswsix bdbfhdr allowfieldendsel afelev"
	    " alntblind useltbaln usexform utinl usenormstyforlist"
	    " toplinepunct toplevel dgmargin dghspace dgvspace dghorigin"
	    " dgvorigin dghshow dgvshow dgsnap lnbrkrule brkfrm subpubnoofset"
	    " ltrdoc rtldoc ltrsect rtlsect ltrpar rtlpar ltrmark rtlmark"
	    " ltrch rtlch ltrrow rtlrow zwj zwnj zwbo zwnbo taprtl"
	    " autofmtoverride cts fischeme ahauto themelang"
	    " notabind wgrffmtfilter sprstsp lytprtmet hyphhotz htmautsp"
	    /* Sections. */
	    " sect sectd endnhere binfsxn binsxn ds pnseclvl sectunlocked"
	    " sbknone sbkcol sbkpage sbkeven sbkodd cols colsx colno colsr"
	    " colw linebetcol linemod linex linestarts linerestart lineppage"
	    " linecont pgwsxn pghsxn marglsxn margrsxn margtsxn margbsxn"
	    " guttersxn margmirsxn lndscpsxn titlepg headery footery pgnstarts"
	    " pgncont pgnrestart pgnx pgny vertalt vertalb vertalc vertalj"
	    " vertal vertsect horzsect stextflow sftnbj sftntj sftnstart"
	    " sftnrstpg saftnstart sftnrestart sftnrstcont saftnrestart"
	    " saftnrstcont"
	    /* Paragraphs. */
	    " widctlpar wrppunct pard par plain itap hyphpar intbl keep keepn "
	    "nowidctlpar"
	    " nowidctrlpar noline level outlinelevel pagebb sbys q qc qj ql qr"
	    " qd qk qt fi li ri cufi lin rin culi curi adjustright indmirror"
	    " sb sa sbauto saauto lisb lisa sl slmult nosnaplinegrid"
	    " contextualspace subdocument spv collapsed txbxtwno txbxtwalways"
	    " txbxtwfirstlast txbxtwfirst txbxtwlast tx tb tqr tqc tqdec tldot"
	    " tlmdot tlhyph tlul tlth tleq tab box faauto fahang facenter"
	    " faroman favar fafixed aspalpha aspnum nooverflow nocwrap"
	    " noworkwrap wrapdefault wraparound wraptight wrapthrough overlay"
	    " absw absh abslock absnoovrlp phmrg phpg phcol posx posnegx posxc"
	    " posxi posxo posxr posxl pvmrg pvpg pvpara posy posnegy posyil"
	    " posyt posyc posyb posyin posyout posxil dfrmtxtx dfrmtxty"
	    " dxfrtext nowrap dropcapli dropcapt frmtxlrtb frmtxtbrl frmtxbtlr"
	    " frmtxlrtbv frmtxtbrlv yts shading bghoriz bgvert bgfdiag bgbdiag"
	    " bgcross bgdcross bgdkhoriz bgdkvert bgdkfdiag bgdkbdiag"
	    " bgdkcross bgdkdcross cfpat cbpat brsp pararsid insrsid charrsid"
	    " delrsid sectrsid tblrsid rsid"
	    /* Characters. */
	    " b i ul ulnone uld uldash uldashd uldashdd uldb ulhwave ulldash"
	    " ulth ulthd ulthdash ulthdashd ulthdashdd ulthldash ululdbwave"
	    " ulw ulwave ulc strike striked scaps caps outl shad embo impr sub"
	    " super nosupersub up dn v webhidden fs cf cb highlight expnd"
	    " expndtw kerning charscalex lang langfe langnp langfenp noproof"
	    " accnone accdot acccomma acccircle accunderdot animtext"
	    " cgrid g gcw gridtbl fittext fcs loch hich dbch ab acaps acf"
	    " af adn aexpnd afs ai alang aoutl ascaps ashad astrike aul auld"
	    " auldb aulnone aulw aup cchs deleted revised revauth revdttm"
	    " revauthdel revdttmdel crauth crdate mvf mvt mvauth mvdate"
	    " horzvert twoinone rtlmark ltrmark chbrdr chshdng chcfpat"
	    " chcbpat spec chhres hres hyphlead hyphtrail hyphmax"
	    /* Symbols. */
	    " chdate chdpl chdpa chtime chpgn chftn chatn chftnsep chftnsepc"
	    " sectnum cell nestcell row nestrow page column line lbr softpage"
	    " softcol softline softlheight emdash endash emspace enspace"
	    " qmspace bullet lquote rquote ldblquote rdblquote"
	    /* Notes, bookmarks, comments, indexes, tables of contents. */
	    " ftnalt bkmkcolf bkmkcoll bkmkpub xef bxe ixe yxe tcf tcl tcn"
	    " pgdscuse pgdscnxt pgdsc pgdscno nonesttables nesttableprops"
	    " lastrow irow irowband rowd"
	    /* Dates of the document and of its comments. */
	    " version vern edmins yr mo dy hr min sec nofpages nofwords"
	    " nofchars nofcharsws id"
	    /* Fields to fill in. */
	    " fftype ffownhelp ffownstat ffprot ffsize fftypetxt ffrecalc"
	    " ffhaslistbox ffmaxlen ffhps ffdefres ffres"
	    /* Pictures. */
	    " defshp shpleft" },
};

/* Words that begin so are formatting, where nothing above says otherwise:
 * borders, cells, rows, numbering, lists, notes, shapes, drawings. */
static const char *const families[] = { "brdr", "pgbrdr", "cl", "tr", "td",
	"tbl", "tscell", "tsrow", "tsbrdr", "tsb", "tsv", "pn", "level", "list",
	"ftn", "aftn", "sftn", "saftn", "pgn", "sect", "shp", "dp", "dob",
	"dod", "dol", "chbg", "pic", "lsd", "rdblquote", "tb", "wbmp", "cellx",
	"tcell", "jis", "pgnn", "lvltent", "posrelh" };

struct word {
	const char *name;
	size_t n;
	enum word_rule rule;
	size_t order;
};

static struct {
	struct word list[WORDS_MAX];
	size_t n;
} words;

/* Of two that are the same, what stands first in the table counts. */
static int
compare(const void *a, const void *b)
{
	const struct word *x = a;
	const struct word *y = b;
	size_t n = x->n < y->n ? x->n : y->n;
	int order = memcmp(x->name, y->name, n);

	if (order != 0)
		return order;
	if (x->n != y->n)
		return x->n < y->n ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void
words_prepare(void)
{
	if (words.n > 0)
		return;
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct bytes all = bytes_of(rules[i].words);

		while (all.n > 0) {
			struct bytes one = bytes_take_until(&all, ' ');

			if (one.n == 0)
				continue;
			must(words.n < WORDS_MAX);
			words.list[words.n] =
			    (struct word){ (const char *)one.p, one.n,
				    rules[i].rule, words.n };
			words.n++;
		}
	}
	qsort(words.list, words.n, sizeof(words.list[0]), compare);
}

static bool
is_in_family(const char *name)
{
	for (size_t i = 0; i < COUNT(families); i++)
		if (strncmp(name, families[i], strlen(families[i])) == 0)
			return true;
	return false;
}

enum word_rule
words_find(const char *name)
{
	size_t low = 0;
	size_t high = words.n;
	struct word wanted = { name, strlen(name), WORD_UNKNOWN, 0 };

	must(words.n > 0);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&words.list[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < words.n && words.list[low].n == wanted.n &&
	    memcmp(words.list[low].name, name, wanted.n) == 0)
		return words.list[low].rule;
	return is_in_family(name) ? WORD_PLAIN : WORD_UNKNOWN;
}

bool
words_is_destination(enum word_rule rule)
{
	switch ((int)rule) {
	case WORD_UNKNOWN:
	case WORD_PLAIN:
	case WORD_FONT:
	case WORD_CHARSET:
	case WORD_CODEPAGE:
	case WORD_UNICODE:
	case WORD_SKIPS:
	case WORD_COUNT:
	case WORD_IGNORED:
		return false;
	}
	return true;
}

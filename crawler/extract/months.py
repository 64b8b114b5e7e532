"""Which month does a word name? In the languages of Europe and a few others, in full and as they are shortened."""

# ruff: noqa: RUF001 - words of many languages, on purpose
from __future__ import annotations

# A language a line, a month a column; spellings, cases and abbreviations of one month with slashes between.
_NAMES = """
january/jan february/feb march/mar april/apr may june/jun july/jul august/aug september/sept/sep october/oct november/nov december/dec
januar/jän/jänner februar/feber märz/mär/mrz april mai juni juli august september oktober/okt november dezember/dez
janvier/janv février/févr/fév mars avril/avr mai juin juillet/juil août/aout septembre octobre novembre décembre/déc
enero/ene febrero marzo abril/abr mayo junio julio agosto/ago septiembre/setiembre/set octubre noviembre diciembre/dic
janeiro fevereiro/fev março abril maio junho julho agosto setembro/set outubro/out novembro dezembro
gennaio/genn/gen febbraio/febbr marzo aprile maggio/magg/mag giugno/giu luglio/lug agosto settembre/sett ottobre/ott novembre dicembre
gener febrer/febr març abril maig juny juliol/jul agost setembre/set octubre novembre desembre/des
januari februari maart/mrt april mei juni juli augustus september oktober november december
januari februari mars april maj juni juli augusti september oktober november december
januar februar mars/marts april maj/mai juni juli august september oktober november desember/des
tammikuuta/tammikuu helmikuuta/helmikuu maaliskuuta/maaliskuu huhtikuuta/huhtikuu toukokuuta/toukokuu kesäkuuta/kesäkuu heinäkuuta/heinäkuu elokuuta/elokuu syyskuuta/syyskuu lokakuuta/lokakuu marraskuuta/marraskuu joulukuuta/joulukuu
stycznia/styczeń/sty lutego/luty/lut marca/marzec kwietnia/kwiecień/kwi maja/maj czerwca/czerwiec/cze lipca/lipiec/lip sierpnia/sierpień/sie września/wrzesień/wrz października/październik/paź listopada/listopad/lis grudnia/grudzień/gru
ledna/leden/led února/únor/úno března/březen/bře dubna/duben/dub května/květen/kvě června/červen/čvn července/červenec/čvc srpna/srpen/srp září/zář října/říjen/říj listopadu/listopad/lis prosince/prosinec/pro
januára február/februára marec/marca apríl/apríla máj/mája jún/júna júl/júla august/augusta september/septembra október/októbra november/novembra december/decembra
januarja februarja marec/marca aprila maja junija julija avgusta/avgust/avg septembra oktobra novembra decembra
január/jan február/febr március/márc április/ápr május/máj június/jún július/júl augusztus/aug szeptember/szept október/okt november december
ianuarie/ian februarie martie aprilie mai iunie/iun iulie/iul august septembrie octombrie noiembrie/noi decembrie
ocak/oca şubat/şub mart nisan/nis mayıs haziran/haz temmuz/tem ağustos/ağu eylül/eyl ekim/eki kasım/kas aralık/ara
januar/januara februar/februara mart/marta april/aprila maj/maja jun/juna jul/jula avgust/avgusta septembar/septembra oktobar/oktobra novembar/novembra decembar/decembra
jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember
janvāris/janvārī februāris/februārī marts/martā aprīlis/aprīlī maijs/maijā jūnijs/jūnijā jūlijs/jūlijā augusts/augustā septembris/septembrī oktobris/oktobrī novembris/novembrī decembris/decembrī
sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio
ιανουαρίου/ιανουάριος/ιαν φεβρουαρίου/φεβρουάριος/φεβ μαρτίου/μάρτιος/μαρ απριλίου/απρίλιος/απρ μαΐου/μάιος/μαΐ ιουνίου/ιούνιος/ιουν ιουλίου/ιούλιος/ιουλ αυγούστου/αύγουστος/αυγ σεπτεμβρίου/σεπτέμβριος/σεπ οκτωβρίου/οκτώβριος/οκτ νοεμβρίου/νοέμβριος/νοε δεκεμβρίου/δεκέμβριος/δεκ
января/январь/янв февраля/февраль/фев марта/март/мар апреля/апрель/апр мая/май июня/июнь/июн июля/июль/июл августа/август/авг сентября/сентябрь/сен/сент октября/октябрь/окт ноября/ноябрь/ноя декабря/декабрь/дек
січня/січень/січ лютого/лютий/лют березня/березень/бер квітня/квітень/кві травня/травень/тра червня/червень/чер липня/липень/лип серпня/серпень/сер вересня/вересень/вер жовтня/жовтень/жов листопада/листопад/лис грудня/грудень/гру
януари/яну февруари март април май юни юли август септември/септ октомври ноември/ноем декември
јануар/јануара фебруар/фебруара март/марта април/априла мај/маја јун/јуна јул/јула август/августа септембар/септембра октобар/октобра новембар/новембра децембар/децембра
januari/jan februari/peb maret april mei juni juli agustus/agu/agt september oktober/okt november/nop desember
janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember
"""  # noqa: E501
# Its names are other months elsewhere: listopad is November in Czech and Polish.
_CROATIAN = (
    "siječnja/siječanj veljače/veljača ožujka/ožujak travnja/travanj svibnja/svibanj lipnja/lipanj srpnja/srpanj "
    "kolovoza/kolovoz rujna/rujan listopada/listopad studenoga/studenog/studeni prosinca/prosinac"
)


def _by_name(lines: str) -> dict[str, int]:
    return {
        name: number
        for line in lines.split("\n")
        for number, names in enumerate(line.split(), 1)
        for name in names.split("/")
    }


_MONTHS = _by_name(_NAMES)
_CROATIAN_MONTHS = _by_name(_CROATIAN)
_CROATIAN_ALONE = {name: number for name, number in _CROATIAN_MONTHS.items() if name not in _MONTHS}


def month_of(word: str, lang: str | None = None) -> int | None:
    """1 to 12 if `word`, in any case, is the name of a month; `lang` decides where languages differ."""
    word = word.lower()
    if lang is not None and lang[:2].lower() == "hr" and word in _CROATIAN_MONTHS:
        return _CROATIAN_MONTHS[word]
    return _MONTHS.get(word) or _CROATIAN_ALONE.get(word)


def month_names() -> list[str]:
    """All that are known, in lower case."""
    return [*_MONTHS, *_CROATIAN_ALONE]

"""By which words and letters is a language known? The short words that make up a third of any text in it."""

# ruff: noqa: E501, RUF001 - words of many languages, on purpose
from __future__ import annotations

# The commonest first. Words of several languages stand under each of them.
_WORDS = """
en the of and to in a is that for it with as was on are be this by you or from at have not your an we can which if will
de der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie
fr de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec ou son vous nous
es de la que el en y a los del se las por un para con no una su al lo como más o pero sus le este es ha sobre son
pt de a o que e do da em um para com não uma os no se na por mais as dos como mas ao das à sua ou é são pelo você
it di e il la che in a per è un del con non una i le si da sono al della dei come più nel anche ha alla gli questo lo
nl de het een van en in is dat op te zijn met voor die niet aan er om ook als bij door naar of uit maar wordt kan je heeft
ca de la i el que a en els les del per un amb una és no al es dels més com ha són aquest van va o també
gl de a o que e do da en os un para con unha non as do no na se por dos máis como ao das é súa pola polo foi esta
ro de și în la a cu pe din nu o un care mai este pentru să se sunt prin ce sau ca dar după au fi ale lui al le
sv och i att det som en på är av för med till den har de inte om ett han men var jag från så kan när vi eller ut
da og i at det er en til af på som for med de den ikke har der et kan om var vi fra jeg eller også men han blev hvor
no og i å det er en på av til som for med at de den har ikke et kan om var fra eller jeg vi også men etter hvor ble
nn og i å det er ein på av til som for med at dei den har ikkje eit kan om var frå eller eg vi også men etter kor vart
is og að í á er sem við til um en var ekki af með hann fyrir það þess frá hún eru svo þegar ég hefur eða verið vera
fi ja on ei että se oli hän mutta ovat kun tai myös niin kuin joka sekä mukaan jos ole hän tämä sen mitä voi vain ovat
et ja on ei et oli see ta kui ka aga mis või selle oma ning kes nii pole seda siis nende mida veel ma olid välja
hu a az és hogy nem egy is van meg ez csak de volt mint azt el már vagy kell még ha lesz azonban minden olyan ezt
pl w i na z się nie do że to jest o jak a od po przez za dla co są oraz tym tego ale jego przy może być tylko
cs a v se na je že s z do to i o k jako pro ve by ale za nebo však byl jsou po podle od které není tak si
sk a v sa na je že s z do to i o k ako pre vo by ale za alebo bol sú po podľa od ktoré nie tak si bola
sl in je v na se za da so ki z s pa ne tudi po kot ali o bi pri lahko še bil ni kar leta do od iz med
hr i u je na se da za su od s a o iz koji kao što ne to te ili bio ali nije može bi sve nakon godine po kako
lt ir į kad yra iš su kaip buvo ar ne o bet tai taip savo už nuo per jo apie metų gali po dėl jų kurie
lv un ir ar uz no par kas ka tas bet arī kā pie vai nav tika bija lai gan pēc tā vairāk ja kuru viņa gada
sq të e në dhe i një për me që është nga se më ka nuk si u do kjo ky por janë tek duke shumë ishte
eu eta da ez bat du zen ere izan dira baina dute edo baino bere egin hau ziren beste dago oso gabe egiten
tr ve bir bu da de için ile olarak çok daha en olan gibi ne ama kadar sonra var o her değil olduğu ise ya veya
az və bir bu da ki ilə üçün də olan ən onun daha çox isə amma var deyil kimi sonra olaraq edir ildə o
id yang dan di untuk dengan ini dari dalam itu tidak pada adalah akan oleh ke atau juga ada anda sebagai dapat saya lebih bisa
ms yang dan di untuk dengan ini dari dalam itu tidak pada adalah akan oleh ke atau juga ada anda sebagai boleh kerana telah ialah iaitu
tl ang ng sa na at mga ay ni para kung hindi siya ito may isang nang ko mo ka pa rin lang din kanyang
sw ya na wa kwa ni katika za la cha kama hii au hiyo yake lakini kuwa wake pia huo ambayo watu sana huo alikuwa
vi và của có là được cho trong không các với một những người để khi này từ đã ở đến như về trên năm cũng ra tại
cy y yn a i o yr ar mae ei ac am gan wedi fod oedd eu bod hyn un bydd sydd ond hefyd ni nid
ga an na a ar is i agus le go ag do bhí sé ach atá níl mar sin gur ní bhfuil leis seo chun don
af die en van in is het dat nie wat te 'n met vir op hy sy om was hulle aan ook deur maar kan word
la et in est ad non cum ut qui ex quod sed ab de esse per sunt quae aut eius atque si hoc etiam
eo la de kaj en estas al ke por kun ne li oni kiu el ĝi pri sed aŭ pli estis tio mi ili per
mt li ta u l- fil- il- ma ta' għal minn dan huwa kien b' jew biex hija din x'inhu mill- aktar
lb an de den d' vun an der mat ass net fir op ze dat et eng si och wéi hunn war vum e sech nach
""".strip()
_CYRILLIC_WORDS = """
ru и в не на что с по как это но он к у из за от так для о же то был до или при его все если вы мы
uk і в на не що з у та до як за це від але для про є його був або по так які вона цього й може чи при
be і ў у не на што з да як па за гэта для ён ад але яго пра быў або таксама гэтага яна пры былі
bg и на да се в от за не с е по са че като това до при или който след ще но си има които
mk и на во да се од за не со е по што како ќе го тоа ги или до сè при ја кој беше се
sr и у је на се да за су од са о као из који не што то или али није бити може године после
kk және мен бір бұл да де үшін бойынша осы болып бар деп емес еді ол жылы қазақ туралы кейін
mn нь бол энэ байна юм ба нэг гэж дээр байсан монгол хүн их мөн бөгөөд тэр бид гэсэн
tg ва дар ба аз ки бо ин як барои он ҳам буд мешавад аст
""".strip()
_ARABIC_WORDS = """
ar في من على أن إلى التي عن مع هذا كان الذي ما لا هذه أو بين كما قد بعد كل ذلك لم وقد
fa در و به از که این را با است برای آن یک خود تا کرد بر هم نیز شد می شده ها است اما
ur کے میں کی ہے اور سے کا کو اس ہیں پر نے کہ یہ بھی ایک نہیں تھا جو ہو گیا
ps په د او کې چې له ته سره دا يو هغه شوي دي کړي
ckb لە و بە بۆ کە ئەو ئەم لەگەڵ هەر بوو دەکات هەروەها
""".strip()
_DEVANAGARI_WORDS = """
hi के में की है से का को और पर ने कि भी एक यह हैं लिए नहीं हो था गया कर इस
mr आहे आणि या च्या ते होते हे एक केली केला नाही मध्ये असे होता तर आहेत
ne छ र को मा हो पनि गर्न भएको यो छन् ले एक थियो लागि तथा गरेको
""".strip()

#: letters of one language among those that are written alike, or nearly one
LETTERS = {
    **dict.fromkeys("ąęźżśćńł", "pl"),
    **dict.fromkeys("řěů", "cs"),
    **dict.fromkeys("ľĺŕ", "sk"),
    **dict.fromkeys("ő", "hu"),
    **dict.fromkeys("ß", "de"),
    **dict.fromkeys("ñ¿¡", "es"),
    **dict.fromkeys("ãõ", "pt"),
    **dict.fromkeys("țșă", "ro"),
    **dict.fromkeys("ðþ", "is"),
    **dict.fromkeys("ğ", "tr"),
    **dict.fromkeys("ə", "az"),
    **dict.fromkeys("ųūė", "lt"),
    **dict.fromkeys("āēīņļķģ", "lv"),
    **dict.fromkeys("đơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ", "vi"),
    **dict.fromkeys("їґє", "uk"),
    **dict.fromkeys("ў", "be"),
    **dict.fromkeys("ыэ", "ru"),
    **dict.fromkeys("ђћ", "sr"),
    **dict.fromkeys("ѓќѕ", "mk"),
    **dict.fromkeys("ұғ", "kk"),
    **dict.fromkeys("پچژگ", "fa"),
    **dict.fromkeys("ٹڈڑےں", "ur"),
}


def _by_language(lines: str) -> dict[str, list[str]]:
    return {language: words.split() for language, _, words in (line.partition(" ") for line in lines.split("\n"))}


WORDS = {
    "latin": _by_language(_WORDS),
    "cyrillic": _by_language(_CYRILLIC_WORDS),
    "arabic": _by_language(_ARABIC_WORDS),
    "devanagari": _by_language(_DEVANAGARI_WORDS),
}
"""By script, and then by language."""

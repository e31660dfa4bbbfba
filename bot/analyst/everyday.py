"""Everyday words: those that name nothing, and those that say a question is in another language. No word of any trade.

What is left of a question without them is taken for a name, so a missing word costs an honest "nothing called that".
"""

import re
from collections.abc import Container


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMON_WORDS = _words(
    """a about above after again against ago all almost already also always am an and another any anybody anyone anything are around as ask at away
    back bad be because been before began begin behind being below between big both break broke broken but by came can caused cause causes causing
    change changed changes check cheers clear cluster come coming could couldn couldnt day days did didn didnt different do does doesn doesnt doing done
    down during each early effect else ended end ends even ever every everybody everything evidence exactly explain fact fail failed failing fails far few
    fill filled filling fills find fine first fix follow for found from full gave get getting give go goes going good got great had happen happened happening happens has have
    having he hello help her here hey hi him his hour hours how however i if impact important in incident indeed instead into is isn isnt issue issues it
    its itself just keep kept kind know last late later least less let like likely line list little log logs long look looked looking looks lot made make
    makes many matter may maybe me mean might minute minutes miss missed missing moment month more most much must my near nearly need never new next
    night no nobody normal not nothing now number of off often ok okay old on once one ones only or other our out over own page part people perhaps
    picture please point possible possibly prevent probably problem problems proof prove question quick quite random read real really reason related
    relation report result right root run running runs said same saw say says second see seem seems seen sent service services session set several she
    should show shows side since single small so some somebody somehow someone something soon sorry spike spikes stand start started starts state step
    still stop strange stuff such suddenly sure symptom symptoms system take tell than thank thanks that thats the their them then there these they thing things
    think this those though thought through time times to today together told too took total trouble true try two type unrelated until up us use used
    very want was wasn wasnt way we week weird well went were what whats when where which while who whole why will window with within without wonder word
    work working worse worst would wrong yeah yes yesterday yet you your pod pods container containers process replica replicas server servers workload
    workloads app application instance instances namespace user users request requests response responses traffic error errors morning afternoon evening
    tonight holds holding calls calling breaks breaking helps helped stays hits flapping happening grow growth growing them they ours theirs forever nowhere bunch damn hell wtf omg monday tuesday wednesday thursday friday saturday sunday weekend behind blame because due coincidence connection involved tied trigger
    triggered part contributed contribute also particular actual actually overall main final third fourth fifth early earlier three four five six
    seven eight nine ten odd unusual lost dropped weren werent havent hasnt hadnt wouldnt wont dont im ive id theyre were youre lets theres team
    seconds mins min hrs hr utc gmt am pm noon midnight bit guys folks dear bot rootcause
    add added adding apply applied bigger both bring brought calm clearly compare complete correct create created creating culprit cut damage decrease
    delete deleted deleting disable disabled down edit edited else enable enabled enough entire exist exists faster full gone guess guilty half happy harm
    harmful harmless hear heard higher hit hurt impacted increase increased innocent introduced justify larger leave left longer lower lowered mad main
    manager mine mistake modified move moved occur occurs okay ordinary ours piece play plausible prior proper raise raised rather recent recently recur reduce
    remove removed renamed repair replace replaced rule ruled safe scapegoat serious seriously sense severe shorter sign skip slower smaller solve somewhere sound
    source speak spot story suspect suspicious switch switched theory tried turn turned unlikely useful usual usually valid verify victim wait whether whose
    willing worry write wrote affect affected affects according across along among amount anyway apart appear appears assume away based believe besides blew
    boss case certain chance concern confirm consider couple current currently customers deal depend depends detail details difference direct directly distinct
    drop easily easy effects either entirely equally especially event events exact except expect explained explanation explains extra fault feel felt focus
    force forced form forth further general grew grow guessing hand hard hardly head high hint hold honest hope idea ideal imagine including inside interesting
    involve issue join key kick kicked large leads led level likelihood link linked live logical low maybe merely messed mention mostly name names namely nasty nature
    neither note notice noticed object objects obvious obviously opinion order others otherwise outcome pattern percent perfectly period place places plan plain play
    played plus pretty previous previously primary produce produced put reach reached reasonable recall refused regular reject remain remains remember reply
    resolve resolved rest role scenario secondary sensible separate share short sole somewhat sort split squarely stay stood straight strong summary suppose supposed
    surely surprise talk telling tells term test text theories therefore third thus tiny top topic toward track truly twice typical ultimately underlying
    understand unexpected unknown untouched value version view visible vs wasnt watch whatever whenever wherever wherever whichever wise world yours lose loses losing serve served
    print prompt instructions ignore eta jvm bed sleep versus compared comparing"""
)
"""Words that name nothing: what is left of a question without them is taken for a name."""

_DERIVED = re.compile(r"[a-z]{3,}(?:[^e]ed|[elrt]ly|ness|[^e]ful|ible|ous)")
"""Endings of participles, adverbs and adjectives that names of software do not have; ``-ing`` and ``-ment`` they do: billing, payments."""

_FOREIGN: dict[str, frozenset[str]] = {
    "German": _words(
        """der die das den dem des ein eine einen einem einer und oder nicht ist sind war waren wurde wurden hat haben wann warum wieso weshalb wer wen wie wo
        welche welcher welches es ich wir ihr sie schuld wegen durch mit bei auf aus nach vom zum zur beim im am auch noch schon nur mal wieder angefangen
        passiert ursache fehler neustart absturz ausfall gestern heute morgen"""
    ),
    "French": _words(
        """le la les un une des du de et ou est sont était etait étaient pas ne que qui quoi quand pourquoi comment où quel quelle quels quelles ce cette ces
        il elle nous vous ils avec sur dans pour par après avant il y a-t-il erreurs panne cause-t-il redémarrage hier"""
    ),
    "Spanish": _words(
        """el la los las un una unos y o es son fue era por qué que cuándo cuando dónde donde quién quien cómo como cuál con en del al no se está esta este
        errores fallo causa ayer reinicio qué podemos hacer puede pasó paso otra vez hay muestra"""
    ),
    "Italian": _words(
        """il lo gli i le un una uno e o è sono era perché perche quando dove chi come quale con nel del della non si questo questa errori guasto causa ieri
        che cosa"""
    ),
    "Dutch": _words(
        """de het een en of niet is zijn was waren wordt werd heeft hebben wanneer waarom wie wat waar hoe welke ik wij we jullie zij door met bij op uit
        naar van voor aan ook nog alweer oorzaak fout storing gisteren vandaag komt kwam gebeurt gebeurde"""
    ),
    "Polish": _words(
        """czy nie jest są był była było co kto kiedy dlaczego gdzie jak który która przez z na do od po przy się to ten ta przyczyna przyczyną błąd awaria
        wczoraj dzisiaj znowu"""
    ),
    "Portuguese": _words(
        """o os as um uma e ou é são foi era por que quando onde quem como qual com em do da no na não se está este esta erros falha causa ontem"""
    ),
}
"""Function words of languages people here may write in; a word that is English, too, counts for neither."""


def is_plain(word: str) -> bool:
    """Tell whether a lower-case word is everyday English that names nothing."""
    return word in COMMON_WORDS or bool(_DERIVED.fullmatch(word))


def foreign_language(text: str, known: Container[str] = frozenset()) -> str | None:
    """Name the language of a text that is not English, "another language" where its letters say so; ``known`` words count for none."""
    letters = [char for char in text if char.isalpha()]
    if letters and sum(not _latin(char) for char in letters) > len(letters) / 2:
        return "another language"
    words = [word for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text.lower()) if word not in known]
    english = sum(word in COMMON_WORDS for word in words)
    score = {
        name: sum(word in those and word not in COMMON_WORDS for word in words) for name, those in _FOREIGN.items()
    }
    best = max(score, key=lambda name: score[name])
    return best if score[best] >= 2 and score[best] >= english else None


def _latin(char: str) -> bool:
    return ord(char) < 0x250 or 0x1E00 <= ord(char) < 0x1F00

/**
 * @typedef {object} Sample
 * @property {string} name
 * @property {string} text
 * @property {Record<string, string | null>} answers words of the right answer to each question; null if the text has none
 */

/** Sample passages written for this page. @type {Sample[]} */
const passages = [
  {
    name: "The lighthouse",
    text: "The lighthouse on Skarn Point was first lit on 4 October 1871. Its builder, the engineer Ada Ferrow, had the tower raised from grey granite that was quarried on the island itself and carried to the cape by oxen. It stands 38 metres tall, and on clear nights its beam can be seen from a distance of 31 kilometres. For its first sixty years the lamp burned rapeseed oil; in 1931 it was fitted for electricity. Three keepers and their families lived beside the tower until 1986, when the light was automated. The keepers' cottages are now a small museum, which receives about nine thousand visitors a year, most of them in July.",
    answers: {
      "When was the lighthouse first lit?": "4 October 1871",
      "Who built the lighthouse?": "Ada Ferrow",
      "How tall is the tower?": "38 metres",
      "What did the lamp burn at first?": "rapeseed oil",
      "What does a ticket cost?": null,
    },
  },
  {
    name: "A recipe",
    text: "Lemon barley soup, for four people. Rinse 150 grams of pearl barley and simmer it in a litre and a half of vegetable stock for 35 minutes, with the lid half on. Meanwhile chop two leeks and a bulb of fennel, and soften them in three spoons of olive oil over a low flame; they should not brown. Stir the vegetables into the barley, add the grated peel of one lemon and cook for ten minutes more. Take the pot from the heat before the juice goes in, because boiled lemon juice turns bitter. Finish with chopped dill. The soup keeps for three days in the refrigerator and is better on the second.",
    answers: {
      "How long does the barley simmer?": "35 minutes",
      "Why does the pot come off the heat?": "boiled lemon juice turns bitter",
      "How many leeks are needed?": "two",
      "How long does the soup keep?": "three days",
      "How much salt goes in?": null,
    },
  },
  {
    name: "A notice",
    text: "Summer timetable of the Halden ferry, valid from 15 June to 31 August. The first boat leaves Halden quay at 6:40 on weekdays and at 8:10 on Saturdays and Sundays; the last one returns from Orrey at 22:15. The crossing takes 25 minutes. A single ticket costs 4.80 euros for adults and 2.40 euros for children under twelve; dogs travel free, bicycles cost 3 euros. Ten-trip cards are sold for 36 euros at the kiosk by the quay, not on board. On 24 July no boats sail before noon because of the regatta. Lost property is kept in the harbour office until the end of September.",
    answers: {
      "How much does a bicycle cost?": "3 euros",
      "When does the last boat return?": "22:15",
      "Where are ten-trip cards sold?": "kiosk",
      "Why do no boats sail on the morning of 24 July?": "regatta",
      "What is the captain's name?": null,
    },
  },
  {
    name: "A long text",
    text: `The valley of the Lune had been drowned for eleven years when the survey party came back to it. They arrived in the second week of March, before the snow had gone from the north slopes, with two boats, a sounding line of 120 metres and a chest of instruments lent by the university at Karsk. Their leader was Tomas Adeyinka, a hydrologist who had grown up in the lower village and remembered the mill.

The dam had been finished in the autumn of 1958. It was meant to feed a turbine hall with a capacity of 84 megawatts and to keep the plain below from flooding, as it had in 1927 and again in 1941. The government paid each of the 212 households to leave; most took new houses in the town of Brenning, where the streets were laid out in the order of the old farms so that neighbours would stay neighbours. The church was taken down stone by stone and set up again on the hill above the town. Its bell was too heavy for the road and was left behind in the tower of the mill, wrapped in sailcloth and tar.

The first soundings surprised everyone. Where the maps of 1950 showed a depth of 60 metres the line ran out to only 41. In eleven years the river had carried down so much silt that almost a third of the reservoir was already filled. Adeyinka had the measurements repeated on three days, by different people and with a second line, because he did not want to be the one to report a mistake. They agreed to within half a metre.

On the fourth day a storm held them in camp. The cook, Berit Lund, kept a diary of the whole journey, and it is from her pages that most of what follows is known. She writes that the wind took the larger tent and threw it into the water, that nobody slept, and that the instrument maker, a silent man named Olsen, spent the night sitting on the chest so that it would not follow the tent. In the morning they found that one of the boats had been holed below the waterline. Olsen mended it with a sheet of copper cut from the lid of the stove.

The cause of the silt was found in the upper valley. The forest there had been felled in 1960 to make a road for a mine, and the mine had then never opened, because the price of zinc had fallen by half. Without trees the slopes ran down into the stream at every thaw. The party counted 37 fresh slides along nine kilometres of bank. Adeyinka drew up a plan that same week: alders along the stream, since they take root quickly on wet ground, and pines above them. He reckoned that it would need 400,000 seedlings and six springs, and that it would cost less than one summer of dredging.

His report was printed in June and lay unread for two years. It was a schoolteacher in Brenning, Ines Kolar, who took it up. She had her pupils plant the first thousand alders in April 1971, on a slope that belonged to her brother. Newspapers came to photograph the children in their boots; the ministry, which disliked the photographs, sent seedlings. By 1978 the planting was complete, a year later than the plan had foreseen, and the soundings of 1985 found that the lake had lost no further depth.

The bell was raised in the dry summer of 1994, when the water stood lower than it had since the dam was closed. Divers found it still in its sailcloth. It hangs today in the church on the hill, and it is rung on one day of the year only, the second Sunday in March.`,
    answers: {
      "Who led the survey party?": "Tomas Adeyinka",
      "What was left in the tower of the mill?": "bell",
      "With what did Olsen mend the boat?": "copper",
      "Why had the forest been felled?": "to make a road for a mine",
      "How many households had to leave?": "212",
      "What did the survey party eat?": null,
    },
  },
];

/** Sample passages, with the questions to suggest. */
export const samples = passages.map((passage) => ({ ...passage, questions: Object.keys(passage.answers) }));

/** Sample sentences for the sentiment card, with the label that a reader would give. */
export const sentiments = {
  "A warm, funny film that stays with you.": "positive",
  "Two hours of my life that I will not get back.": "negative",
  "The actors try, the script does not.": "negative",
  "Not bad at all.": "positive",
  "I would watch it again tomorrow.": "positive",
  "It opens in cinemas on Friday.": "neutral",
};

/** Texts that aren't the user's own: those of this page, and of links. */
export const given = new Set([
  ...samples.flatMap(({ text, questions }) => [text, ...questions]),
  ...Object.keys(sentiments),
]);

/** Returns whether the user has written a text. @param {string} text */
export function isOwn(text) {
  return text.trim() !== "" && !given.has(text);
}

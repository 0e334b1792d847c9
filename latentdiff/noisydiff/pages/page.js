"use strict";
// Pairs by word and by outcome; without a script all of them are there.
const form = document.querySelector(".filter");
const pairs = [...document.querySelectorAll(".entry")];
const texts = pairs.map((pair) => pair.querySelector("summary").textContent.toLowerCase());
const show = () => {
  const text = form.elements.text.value.trim().toLowerCase();
  const outcome = form.elements.outcome.value;
  let count = 0;
  pairs.forEach((pair, i) => {
    pair.hidden = !(texts[i].includes(text) && (!outcome || pair.dataset.outcome === outcome));
    count += pair.hidden ? 0 : 1;
  });
  form.elements.count.textContent = `${count} of ${pairs.length}`;
};
form.hidden = false;
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();


"use strict";
// A finding appears in its card, in the forest plot and in the volcano plot: pointing at one lights all three.
const light = (event, on) => {
  const mark = event.target.closest("[data-finding]");
  if (!mark) return;
  for (const other of document.querySelectorAll("[data-finding]"))
    other.classList.toggle("lit", on && other.dataset.finding === mark.dataset.finding);
};
for (const [name, on] of [["pointerover", true], ["focusin", true], ["pointerout", false], ["focusout", false]])
  document.addEventListener(name, (event) => light(event, on));

// Paper cannot be unfolded: what it takes to repeat the run is printed.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("#data details:not([open]), #method details:not([open])")];
  for (const part of folded) part.open = true;
});
addEventListener("afterprint", () => {
  for (const part of folded) part.open = false;
});

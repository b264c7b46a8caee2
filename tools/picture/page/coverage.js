// Coverage, if the report was given any.

function coverageSection(coverage) {
  return make("section", {class: "coverage"}, make("h2", {}, "Coverage"));
}

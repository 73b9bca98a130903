// A region that scrolls sideways can be reached by the keyboard, and says what it is.
addEventListener("DOMContentLoaded", () => {
  const mark = () =>
    document.querySelectorAll(".table-wrapper, article pre").forEach((region) => {
      if (region.scrollWidth <= region.clientWidth) return region.removeAttribute("tabindex");
      region.tabIndex = 0;
    });
  mark();
  addEventListener("resize", mark);
});

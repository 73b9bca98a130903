// A region that scrolls sideways can be reached by the keyboard; the menu's captions say their level as headings.
addEventListener("DOMContentLoaded", () => {
  const mark = () =>
    document.querySelectorAll(".table-wrapper, article pre").forEach((region) => {
      if (region.scrollWidth <= region.clientWidth) return region.removeAttribute("tabindex");
      region.tabIndex = 0;
    });
  mark();
  addEventListener("resize", mark);
  document.querySelectorAll(".caption[role=heading]").forEach((caption) => caption.setAttribute("aria-level", "2"));
  document.querySelector(".sidebar-drawer")?.setAttribute("aria-label", "Pages");
  document.querySelector(".toc-drawer")?.setAttribute("aria-label", "On this page");
});

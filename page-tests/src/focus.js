// What has the focus: who it is, where it is, and whether one can see that it has it.
(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    const named = ['data-sort', 'data-details'].find(name => element.hasAttribute(name));
    const site = element.closest('[data-site]')?.dataset.site;
    return {
        id: element.id || (named ? `${named} ${site ?? element.getAttribute(named)}` : element.tagName),
        tabindex: element.tabIndex,
        visible: element.matches(':focus-visible') && (outlined || style.boxShadow !== 'none'),
        inside: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.left >= 0 && box.right <= innerWidth + 1,
    };
})()

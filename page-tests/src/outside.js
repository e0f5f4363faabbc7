// What does not fit the width of the window: whether the page scrolls sideways, and the figures,
// controls and headings that stick out of it or of their cell, or whose text is cut off without a sign.
(() => {
    const page = document.scrollingElement;
    const wide = page.scrollWidth > page.clientWidth ? [`the page: ${page.scrollWidth} > ${page.clientWidth}`] : [];
    const elements = [...document.querySelectorAll('[data-field], [data-check], button, input, h1, h2, [data-chart]')];
    const out = elements.filter(element => element.checkVisibility({contentVisibilityAuto: true})).filter(element => {
        const box = element.getBoundingClientRect();
        const style = getComputedStyle(element);
        const cut = style.overflowX === 'hidden' && style.textOverflow === 'clip'
            && element.scrollWidth > element.clientWidth + 1 && box.width > 1;
        const cell = element.closest('td, th, li, dd')?.getBoundingClientRect();
        const over = cell && cell.width > 1 && box.right > cell.right + 1;
        return box.width > 1 && (box.left < -1 || box.right > innerWidth + 1 || cut || over);
    });
    return wide.concat(out.map(element => element.outerHTML.slice(0, 120)));
})()

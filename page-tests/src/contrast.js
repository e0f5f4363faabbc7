// Every text that is shown with less contrast to what is behind it than WCAG 2.2 asks for at level AA:
// 4.5 to 1, or 3 to 1 where it is large. As [text, ratio, colour, background].
(() => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1});
    const context = canvas.getContext('2d', {willReadFrequently: true});
    // Any CSS colour over another, as red, green and blue.
    const over = (colour, [red, green, blue], opacity = 1) => {
        context.globalAlpha = 1;
        context.fillStyle = `rgb(${red} ${green} ${blue})`;
        context.fillRect(0, 0, 1, 1);
        context.globalAlpha = opacity;
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const ancestors = element => element ? [...ancestors(element.parentElement), element] : [];
    const background = element => ancestors(element).reduce(
        (below, each) => over(getComputedStyle(each).backgroundColor, below), [255, 255, 255]);
    const opacity = element => ancestors(element).reduce(
        (all, each) => all * Number(getComputedStyle(each).opacity), 1);
    const luminance = colour => {
        const [red, green, blue] = colour.map(part => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const ratio = (one, other) => {
        const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    };
    const shown = element => {
        const box = element.getBoundingClientRect();
        const visible = element.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true});
        return visible && box.width > 1 && box.height > 1; // one pixel: for screen readers alone
    };
    const faint = [];
    const check = (element, text, style) => {
        const behind = background(element);
        const colour = element instanceof SVGElement ? style.fill : style.color;
        const found = ratio(over(colour, behind, opacity(element)), behind);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        if (found < (large ? 3 : 4.5)) {
            faint.push([text, Number(found.toFixed(2)), colour, `rgb(${behind})`]);
        }
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        const text = walker.currentNode.data.trim();
        if (text && shown(element) && !element.closest('script, style, template, title, :disabled')) {
            check(element, text, getComputedStyle(element));
        }
    }
    for (const input of document.querySelectorAll('[placeholder]')) {
        check(input, input.placeholder, getComputedStyle(input, '::placeholder'));
    }
    return faint;
})()
